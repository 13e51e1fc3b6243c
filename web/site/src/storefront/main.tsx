import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { takeIn } from "../api/query.ts";
import { refresh } from "./cart.ts";
import { Shop } from "./shop.tsx";
import "../ui/base.css";

const answers = document.getElementById("answers")?.textContent;
if (answers) takeIn(JSON.parse(answers));
const named = new URLSearchParams(location.search).get("cart");
refresh(named ? `gid://ordergraph/Cart/${named}` : undefined);

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <Shop />
  </StrictMode>,
);
