import type { OrderPartsFragment as Order } from "../../../api/gql.ts";
import { useWords } from "../../../words/index.ts";

/** The parcels, with what is in each where there are several. */
export function Parcels({ of }: { of: Order["fulfillments"] }) {
  const w = useWords();
  const o = w.order;
  if (of.length === 0) return null;
  return (
    <section aria-labelledby="parcels">
      <h2 id="parcels">{o.parcels}</h2>
      <ul className="parcels">
        {of.map((parcel, i) => (
          <li key={parcel.id} className="panel" data-parcel={parcel.status}>
            <p className="between">
              <strong>{o.parcel(i + 1)}</strong>
              <span>{o.parcelStatus[parcel.status]}</span>
            </p>
            {of.length > 1 && (
              <ul className="quiet small">
                {parcel.lines.map(({ sku, title, quantity, packedQuantity }) => (
                  <li key={sku}>
                    {parcel.short ? packedQuantity : quantity} × {title}
                  </li>
                ))}
              </ul>
            )}
            {parcel.short && <p className="small">{o.short}</p>}
            {parcel.trackingInfo.map(({ company, number, url, status }) => (
              <p key={number} className="between small">
                <span>
                  {company}{" "}
                  {url ? (
                    <a href={url} rel="noreferrer">
                      {number ?? o.track}
                    </a>
                  ) : (
                    number
                  )}
                </span>
                {status && <span className="quiet">{o.tracking[status]}</span>}
              </p>
            ))}
          </li>
        ))}
      </ul>
    </section>
  );
}
