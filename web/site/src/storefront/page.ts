import { useEffect } from "react";
import { useShop } from "../api/shop.ts";

/** Whether nothing is really sold here: the server says so in the page. */
export const isTest = document.querySelector('meta[name="test-shop"]') !== null;

/** Names the page in the browser's tab and to screen readers. */
export function useTitle(title: string | undefined) {
  const shop = useShop()?.shop.name;
  useEffect(() => {
    if (shop) document.title = title ? `${title} – ${shop}` : shop;
  }, [title, shop]);
}
