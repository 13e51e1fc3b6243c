// The page's policy lets in the style elements that carry its nonce. Monaco
// and the dialogs make theirs at run time and know of no nonce, so every style
// element gets it as it is made.
const nonce = document.querySelector<HTMLMetaElement>("meta[property=csp-nonce]")?.nonce ?? "";
const create = document.createElement;

document.createElement = function (this: Document, name: string, options?: ElementCreationOptions) {
  const element = create.call(this, name, options);
  if (element instanceof HTMLStyleElement) element.nonce = nonce;
  return element;
} as typeof document.createElement;
