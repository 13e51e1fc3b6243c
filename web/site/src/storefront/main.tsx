import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { taken } from "../api/address.ts";
import { takeIn } from "../api/query.ts";
import { begin } from "./cart.ts";
import { Shop } from "./shop.tsx";
import "../ui/base.css";

const answers = document.getElementById("answers")?.textContent;
if (answers) takeIn(JSON.parse(answers));
begin(taken("cart"));

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <Shop />
  </StrictMode>,
);
