// Coming to a page.
import { Component, useEffect, type ReactNode } from "react";
import { useLocation } from "wouter";
import { Trouble } from "../api/client.ts";
import { Failed } from "./state.tsx";

/**
 * A page that fails, as when its program cannot be fetched, says so in its
 * place: without this nothing at all would be shown. Other pages go on.
 */
export class Held extends Component<{ path: string; children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };
  static getDerivedStateFromError = () => ({ failed: true });
  override componentDidUpdate({ path }: { path: string }) {
    if (this.state.failed && path !== this.props.path) this.setState({ failed: false });
  }
  override render() {
    if (!this.state.failed) return this.props.children;
    return <Failed alone error={new Trouble(navigator.onLine ? "INTERNAL_SERVER_ERROR" : "OFFLINE", "")} retry={() => location.reload()} />;
  }
}

let first = true;

/**
 * A new page begins at its top, and is told to who cannot see it; going back
 * is left to the browser, which remembers where one was.
 */
export function Arrival() {
  const [path] = useLocation();
  useEffect(() => {
    const forward = () => scrollTo(0, 0);
    let last = location.pathname;
    const pushed = () => {
      if (location.pathname !== last) forward();
      last = location.pathname;
    };
    const popped = () => void (last = location.pathname);
    addEventListener("pushState", pushed);
    addEventListener("popstate", popped);
    return () => (removeEventListener("pushState", pushed), removeEventListener("popstate", popped));
  }, []);
  useEffect(() => {
    if (first) first = false;
    else document.getElementById("content")?.focus({ preventScroll: true });
  }, [path]);
  return null;
}
