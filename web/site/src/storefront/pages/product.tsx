import { useState } from "react";
import { Link, useSearchParams } from "wouter";
import { ProductDocument, type ProductQuery } from "../../api/gql.ts";
import { useQuery } from "../../api/query.ts";
import { add, useCart } from "../cart.ts";
import { Cards } from "../card.tsx";
import { Stepper } from "../../ui/field.tsx";
import { useTitle } from "../page.ts";
import { Picture } from "../../ui/picture.tsx";
import { Bar, Failed, Wrong } from "../../ui/state.tsx";
import { useWords } from "../../words/index.ts";
import { Missing } from "./missing.tsx";

type Product = NonNullable<ProductQuery["product"]>;

export default function ProductPage({ handle }: { handle: string }) {
  const { data, error, retry } = useQuery(ProductDocument, { handle });
  const w = useWords();
  useTitle(data?.product?.title);
  if (!data && error) return <Failed alone error={error} retry={retry} />;
  if (data && !data.product) return <Missing />;
  const goesWith = data?.productRecommendations?.slice(0, 4);
  return (
    <>
      {data?.product ? <Shown product={data.product} /> : <Places />}
      {(!goesWith || goesWith.length > 0) && (
        <section aria-labelledby="goes-with">
          <h2 id="goes-with">{w.product.goesWith}</h2>
          <Cards of={goesWith} places={4} />
        </section>
      )}
    </>
  );
}

const Places = () => (
  <div className="product" aria-busy="true">
    <span className="picture" />
    <div className="buy">
      <Bar width="70%" />
      <Bar width="30%" />
      <Bar width="100%" />
      <Bar width="100%" />
    </div>
  </div>
);

function Shown({ product }: { product: Product }) {
  const w = useWords();
  const [params, setParams] = useSearchParams();
  const { problems } = useCart();
  const [quantity, setQuantity] = useState(1);
  const variants = product.variants.nodes;
  const options = product.options.filter(({ optionValues }) => optionValues.length > 1 || variants.length > 1);
  const first = variants.find((v) => v.availableForSale) ?? variants[0];
  const chosen = Object.fromEntries(options.map(({ name }) => [name, params.get(name) ?? first?.selectedOptions.find((o) => o.name === name)?.value ?? ""]));
  const matching = (choices: Record<string, string>) => variants.find((v) => v.selectedOptions.every((o) => !(o.name in choices) || choices[o.name] === o.value));
  const variant = matching(chosen);
  const pictures = product.images.nodes;
  const [picked, pick] = useState<string>();
  const picture = pictures.find(({ url }) => url === picked) ?? variant?.image ?? pictures[0];

  const choose = (name: string, value: string) => {
    pick(undefined);
    setParams((old) => (old.set(name, value), old), { replace: true });
  };
  const left = variant?.quantityAvailable ?? null;
  const soldOut = !variant || !variant.availableForSale || left === 0;
  const problem = variant && problems[variant.id];
  return (
    <div className="product">
      <div className="gallery">
        <Picture of={picture} eager />
        {pictures.length > 1 && (
          <ul aria-label={w.product.pictures}>
            {pictures.map((image, i) => (
              <li key={image.url}>
                <button type="button" aria-label={w.product.picture(i + 1, pictures.length)} aria-pressed={image.url === picture?.url} onClick={() => pick(image.url)}>
                  <Picture of={image} alt="" />
                </button>
              </li>
            ))}
          </ul>
        )}
      </div>
      <div className="buy">
        <p className="quiet">
          {product.collections.nodes.map(({ handle, title }) => (
            <Link key={handle} href={`/collections/${handle}`}>
              {title}
            </Link>
          ))}
        </p>
        <h1>{product.title}</h1>
        <p className="quiet">{product.vendor}</p>
        <p className="price" aria-live="polite">
          {variant ? (
            <>
              {w.price(variant.price)}
              {variant.compareAtPrice && <s>{w.product.was(w.price(variant.compareAtPrice))}</s>}
            </>
          ) : (
            <span className="quiet">{w.product.unavailable}</span>
          )}
        </p>
        {options.map(({ name, optionValues }) => (
          <fieldset key={name} className="option">
            <legend>
              {w.search.labels[name.toLowerCase()] ?? name}: <span className="quiet">{chosen[name]}</span>
            </legend>
            {optionValues.map(({ name: value }) => {
              const would = matching({ ...chosen, [name]: value });
              return (
                <label key={value} className="pill" data-out={!would?.availableForSale || undefined}>
                  <input type="radio" name={`option ${name}`} value={value} checked={chosen[name] === value} onChange={() => choose(name, value)} />
                  <span>
                    {value}
                    {!would?.availableForSale && <span className="visually-hidden"> ({w.product.soldOut})</span>}
                  </span>
                </label>
              );
            })}
          </fieldset>
        ))}
        <p className="stock" data-state={soldOut ? "none" : left !== null && left <= 5 ? "few" : "plenty"} role="status">
          {soldOut ? w.product.soldOut : left !== null && left <= 5 ? w.product.few(left) : w.product.inStock}
        </p>
        <div className="buy-row">
          <Stepper label={w.product.quantity} value={quantity} most={left} disabled={soldOut} change={setQuantity} />
          <button
            type="button"
            className="button button-main button-wide"
            disabled={soldOut}
            onClick={() =>
              variant &&
              void add(
                { id: variant.id, title: product.title, handle: product.handle, image: variant.image, selectedOptions: variant.selectedOptions, price: variant.price },
                Math.min(quantity, left ?? quantity),
              )
            }
          >
            {w.product.add}
          </button>
        </div>
        {problem && <Wrong>{w.mishap(problem)}</Wrong>}
        {/* The schema promises markup that is free of scripts, and the page's policy would not run any. */}
        <div className="prose" dangerouslySetInnerHTML={{ __html: product.descriptionHtml }} />
      </div>
    </div>
  );
}
