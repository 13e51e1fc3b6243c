import { Link } from "wouter";
import type { CardFragment } from "../api/gql.ts";
import { useWords } from "../words/index.ts";
import { Picture } from "../ui/picture.tsx";
import { Bar } from "../ui/state.tsx";

/** A product in a list. */
export function Card({ of, eager, level: Title = "h3" }: { of: CardFragment; eager?: boolean; level?: "h2" | "h3" }) {
  const w = useWords();
  const { minVariantPrice: least, maxVariantPrice: most } = of.priceRange;
  const before = of.compareAtPriceRange.minVariantPrice;
  const reduced = Number(before.amount) > Number(least.amount);
  return (
    <article className="card">
      <Link href={`/products/${of.handle}`}>
        <Picture of={of.featuredImage} alt="" eager={eager} />
        <Title className="card-title">{of.title}</Title>
      </Link>
      <p className="quiet">{of.vendor}</p>
      <p className="card-price">
        {least.amount === most.amount ? w.price(least) : w.product.from(w.price(least))}
        {!of.availableForSale ? <span className="tag">{w.product.soldOut}</span> : reduced && <span className="tag tag-accent">{w.product.sale}</span>}
      </p>
    </article>
  );
}

/** Products side by side; places for them while they are not known. */
export function Cards({ of, places = 8, eager = 0, level }: { of: CardFragment[] | undefined; places?: number; eager?: number; level?: "h2" | "h3" }) {
  return (
    <ul className="cards" aria-busy={!of}>
      {of
        ? of.map((product, i) => (
            <li key={product.id}>
              <Card of={product} eager={i < eager} level={level} />
            </li>
          ))
        : Array.from({ length: places }, (_, i) => (
            <li key={i} className="card" aria-hidden="true">
              <span className="picture" />
              <Bar width="80%" />
              <Bar width="40%" />
            </li>
          ))}
    </ul>
  );
}
