import type { PictureFragment } from "../api/gql.ts";

// Pictures come from the shop alone: another host would learn who looks at
// what, and the page's policy forbids it.
export function ours(url: string): string | undefined {
  const { pathname, search, origin } = new URL(url, location.href);
  return origin === location.origin || pathname.startsWith("/demo/pictures/") ? pathname + search : undefined;
}

type Props = {
  of: PictureFragment | null | undefined;
  /** Says what it shows; "" where the text beside it does. */
  alt?: string;
  /** Whether it is what the page is about. */
  eager?: boolean;
};

/** A square picture that keeps its place before it is there. */
export function Picture({ of, alt, eager }: Props) {
  const src = of ? ours(of.url) : undefined;
  return (
    <span className="picture">
      {src ? (
        <img src={src} alt={alt ?? of?.altText ?? ""} width={600} height={600} loading={eager ? "eager" : "lazy"} decoding="async" fetchPriority={eager ? "high" : "auto"} />
      ) : (
        <svg viewBox="0 0 100 100" aria-hidden="true">
          <path d="M20 56q7.500 7 15 0t15 0 15 0 15 0M20 44q7.500 7 15 0t15 0 15 0 15 0" />
        </svg>
      )}
    </span>
  );
}
