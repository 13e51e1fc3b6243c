import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { speakOnly } from "../words/place.ts";
import { Console } from "./console.tsx";
import "../ui/base.css";
import "./console.css";

speakOnly("en");

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <Console />
  </StrictMode>,
);
