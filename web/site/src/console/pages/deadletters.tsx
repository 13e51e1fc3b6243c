// What was given up, until somebody tries it again or puts it away.
import { useEffect, useRef, useState } from "react";
import { Link } from "wouter";
import { ask, passing, pause, Trouble } from "../../api/client.ts";
import { renew, useQuery } from "../../api/query.ts";
import { Choice } from "../../ui/field.tsx";
import { useWords } from "../../words/index.ts";
import { useAction } from "../action.ts";
import { useFresh } from "../fresh.ts";
import { DeadLetterDropDocument, DeadLetterReplayDocument, DeadLetterServicesDocument, DeadLettersDocument, type DeadLettersQuery } from "../gql.ts";
import { notify } from "../notices.tsx";
import { Asked, Dialog, DialogEnd, Page, Pager, Tag, Unavailable, useCursor, useFilters, When } from "../parts.tsx";
import { useMay } from "../viewer.ts";
import "./pages.css";
import "./deadletters.css";

type Letter = DeadLettersQuery["deadLetters"]["nodes"][number];

const perPage = 50; // which is also the most that one press replays

const listed = (letters: number) => (letters === 1 ? "1 letter" : `${letters} letters`);

export default function DeadLetters() {
  const may = useMay();
  const write = may("OPERATIONS_WRITE");
  const { params, set } = useFilters();
  const { after } = useCursor();
  const service = params.get("service") ?? undefined;
  const answer = useFresh(DeadLettersDocument, { first: perPage, after, service }, 10_000);
  const services = useQuery(DeadLetterServicesDocument, {}).data?.deadLetterServices ?? (service ? [service] : []);
  const [dropping, setDropping] = useState<Letter>();
  const all = useReplayAll();
  const shown = answer.data?.deadLetters.nodes ?? [];
  return (
    <Page
      title="Dead letters"
      actions={
        write &&
        (all.at ? (
          <>
            <span role="status">
              Replaying {all.at.done} of {all.at.of}
            </span>
            <progress aria-label="Replaying" max={all.at.of} value={all.at.done} />
            <button type="button" className="button" onClick={all.stop}>
              Stop
            </button>
          </>
        ) : (
          <button type="button" className="button" disabled={shown.length === 0} onClick={() => void all.replay(shown)}>
            Replay all {shown.length || ""} shown
          </button>
        ))
      }
    >
      <p className="quiet lead">Messages that no provider took, and facts that one service failed to take from another. They hold nothing else up.</p>
      <div className="find-bar">
        <Choice label="Kept by" value={service ?? ""} onChange={({ target }) => set({ service: target.value })}>
          <option value="">All services</option>
          {services.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </Choice>
      </div>
      <Asked of={answer}>
        {({ deadLetters: { nodes, pageInfo, unavailable } }) => (
          <>
            <Unavailable services={unavailable} />
            {nodes.length === 0 && unavailable.length === 0 && <p className="empty">Nothing is dead{service ? ` in ${service}` : ""}.</p>}
            <ul className="letters">
              {nodes.map((letter) => (
                <li key={letter.id}>
                  <LetterCard of={letter} write={write} held={!!all.at} drop={() => setDropping(letter)} />
                </li>
              ))}
            </ul>
            <Pager of={pageInfo} />
          </>
        )}
      </Asked>
      <Drop of={dropping} close={() => setDropping(undefined)} />
    </Page>
  );
}

function LetterCard({ of, write, held, drop }: { of: Letter; write: boolean; held: boolean; drop: () => void }) {
  const replay = useAction(DeadLetterReplayDocument, { problems: (data) => data.deadLetterReplay?.userErrors ?? [], done: () => `It is tried again: ${of.type}.`, renews: [DeadLettersDocument] });
  const last = of.attempts.at(-1);
  return (
    <article className="letter">
      <div>
        <h2>
          {of.type} <Tag>{of.kind === "MESSAGE" ? "message" : "fact"}</Tag>
        </h2>
        <p>
          Kept by {of.service}; not taken by {of.listener}; dead since <When at={of.deadAt} />
        </p>
        <p className="quiet">
          About <About of={of.key} />
        </p>
        {last && (
          <details>
            <summary>
              {of.attempts.length === 1 ? "1 try" : `${of.attempts.length} tries`}, last: <code>{last.outcome}</code>
            </summary>
            <ol className="tries">
              {of.attempts.map(({ at, outcome }, i) => (
                <li key={i}>
                  <When at={at} /> <code>{outcome}</code>
                </li>
              ))}
            </ol>
          </details>
        )}
      </div>
      {write && (
        <div className="letter-actions">
          <button type="button" className="button" disabled={held || replay.busy} onClick={() => void replay.press({ id: of.id })}>
            Replay<span className="visually-hidden"> {of.type}</span>
          </button>
          <button type="button" className="button" disabled={held || replay.busy} onClick={drop}>
            Drop<span className="visually-hidden"> {of.type}</span>
          </button>
        </div>
      )}
    </article>
  );
}

// Most are about an order, which whoever may can look at.
function About({ of }: { of: string }) {
  const may = useMay();
  const [, order] = /^order:(.+)$/.exec(of) ?? [];
  return <code>{order && may("ORDERS_READ") ? <Link href={`/orders/${encodeURIComponent(order)}`}>{of}</Link> : of}</code>;
}

function Drop({ of, close }: { of: Letter | undefined; close: () => void }) {
  const drop = useAction(DeadLetterDropDocument, { problems: (data) => data.deadLetterDrop?.userErrors ?? [], done: () => "It is put away.", renews: [DeadLettersDocument] });
  return (
    <Dialog title="Drop it for good?" open={!!of} close={close}>
      <form
        className="form"
        onSubmit={async (event) => {
          event.preventDefault();
          if (of && (await drop.press({ id: of.id }))) close();
        }}
      >
        <p>
          Nobody tries <strong>{of?.type}</strong> about <code>{of?.key}</code> again. {of?.kind === "MESSAGE" ? "The customer does not get this message." : "What should have followed from it does not."}
        </p>
        <DialogEnd name="Drop it" danger busy={drop.busy} close={close} />
      </form>
    </Dialog>
  );
}

// Replays letter after letter. One that is not dead any more is no mishap; what
// the shop cannot do for the moment ends it, and the rest stays dead.
function useReplayAll() {
  const w = useWords();
  const [at, setAt] = useState<{ done: number; of: number }>();
  const stopped = useRef(false);
  useEffect(() => () => void (stopped.current = true), []); // nobody looks on any more
  const one = async (id: string) => {
    for (let n = 0; ; n++) {
      try {
        const { deadLetterReplay: answer } = await ask(DeadLetterReplayDocument, { id });
        return answer?.deadLetterId != null;
      } catch (error) {
        if (!(error instanceof Trouble) || !passing.has(error.code) || n === 3) throw error;
        await pause(n + 1);
      }
    }
  };
  const replay = async (letters: Letter[]) => {
    stopped.current = false;
    let replayed = 0;
    try {
      for (const [i, { id }] of letters.entries()) {
        if (stopped.current) break;
        setAt({ done: i, of: letters.length });
        if (await one(id)) replayed++;
      }
      notify(`${listed(replayed)} replayed.`);
    } catch (error) {
      notify(`${listed(replayed)} replayed, then: ${w.mishap(error instanceof Trouble ? error : { message: String(error) })}`, true);
    }
    setAt(undefined);
    renew(DeadLettersDocument);
  };
  return { at, replay, stop: () => (stopped.current = true) };
}
