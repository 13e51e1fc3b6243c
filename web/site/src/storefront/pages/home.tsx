import { Link } from "wouter";
import { HomeDocument } from "../../api/gql.ts";
import { useQuery } from "../../api/query.ts";
import { Cards } from "../card.tsx";
import { useTitle } from "../page.ts";
import { Picture } from "../../ui/picture.tsx";
import { Bar, Failed } from "../../ui/state.tsx";
import { useWords } from "../../words/index.ts";

export function Home() {
  const w = useWords();
  const { data, error, retry } = useQuery(HomeDocument, {});
  useTitle(undefined);
  if (!data && error) return <Failed alone error={error} retry={retry} />;
  const collections = data?.collections.nodes.slice(0, 6);
  return (
    <>
      <section className="hero">
        <h1>{w.home.lead}</h1>
        <p>{w.home.sub}</p>
        <Link href="/search" className="button button-main">
          {w.home.browse}
        </Link>
      </section>
      <section aria-labelledby="newest">
        <h2 id="newest">{w.home.newest}</h2>
        <Cards of={data?.newest.nodes} eager={4} />
      </section>
      <section aria-labelledby="collections" hidden={collections?.length === 0}>
        <h2 id="collections">{w.home.collections}</h2>
        <ul className="collections" aria-busy={!collections}>
          {collections
            ? collections.map(({ id, handle, title, description, image }) => (
                <li key={id}>
                  <Link href={`/collections/${handle}`} className="collection">
                    <Picture of={image} alt="" />
                    <span>
                      <strong>{title}</strong>
                      <span className="quiet small">{description}</span>
                    </span>
                  </Link>
                </li>
              ))
            : Array.from({ length: 6 }, (_, i) => (
                <li key={i} className="collection" aria-hidden="true">
                  <span className="picture" />
                  <span>
                    <Bar width="50%" />
                    <Bar width="90%" />
                  </span>
                </li>
              ))}
        </ul>
      </section>
      <section aria-labelledby="popular">
        <h2 id="popular">{w.home.popular}</h2>
        <Cards of={data?.popular.nodes} />
      </section>
    </>
  );
}
