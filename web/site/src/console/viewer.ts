// Who works here, and what they may do. The pages show only that; what is
// forbidden is refused by the services, whatever is shown.
import { createContext, useContext } from "react";
import { useBelieved } from "../api/session.ts";
import { useQuery } from "../api/query.ts";
import { ViewerDocument, type Permission, type ViewerQuery } from "./gql.ts";

export type Viewer = NonNullable<ViewerQuery["customer"]>;

/** Who is signed in: null when nobody is, and in `viewer` nothing while that is being asked. */
export function useSignedIn() {
  const signedIn = useBelieved();
  const { data, error, retry } = useQuery(ViewerDocument, signedIn ? {} : null);
  const nobody = !signedIn || error?.code === "UNAUTHENTICATED" || data?.customer === null;
  return { viewer: nobody ? null : (data?.customer ?? undefined), error, retry };
}

export const ViewerContext = createContext<Viewer | null>(null);

/** Who is signed in, on pages that are shown to nobody else. */
export function useViewer(): Viewer {
  const viewer = useContext(ViewerContext);
  if (!viewer) throw new Error("nobody is signed in");
  return viewer;
}

/** Says whether the viewer may do something. */
export function useMay(): (what: Permission) => boolean {
  const { permissions } = useViewer();
  return (what) => permissions.includes(what);
}
