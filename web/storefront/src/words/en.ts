import type { CheckoutErrorCode, CartErrorCode, CustomerErrorCode, FulfillmentStatus, FulfillmentTrackingStatus, OrderFailureReason, OrderStatus } from "../api/gql.ts";

const many = (n: number, one: string, more: string) => `${n} ${n === 1 ? one : more}`;

/** What can be told of a mishap in the customer's language; the shop's own sentence stands in where there is none. */
export type Mishaps = Partial<Record<CheckoutErrorCode | CartErrorCode | CustomerErrorCode | OrderFailureReason | "OFFLINE" | "UNAVAILABLE" | "THROTTLED" | "UNAUTHENTICATED" | "INTERNAL_SERVER_ERROR", string>>;

export const en = {
  skip: "Skip to the content",
  close: "Close",
  retry: "Try again",
  save: "Save",
  cancel: "Cancel",
  change: "Change",
  remove: "Remove",
  add: "Add",
  loading: "Loading…",
  optional: "optional",
  offline: "You are offline. What you see may be out of date.",
  failed: "This could not be loaded",
  reference: (id: string) => `Reference: ${id}`,
  language: "Language",
  country: "Country",
  testShop: "This is a test shop: nothing is sold, no money moves.",
  forDevelopers: "For developers",
  missing: { title: "Nothing here", text: "This page does not exist, or not any more.", home: "Back to the shop" },
  nav: { main: "Main", home: "Home", all: "All products", collections: "Collections", account: "Account", signIn: "Sign in", menu: "Menu", cart: (n: number) => `Cart, ${many(n, "item", "items")}`, cartShort: "Cart" },
  home: { lead: "Plain things that last.", sub: "For the home, the desk and the road.", newest: "Just in", popular: "What others buy", collections: "Collections", browse: "See everything" },
  search: {
    label: "Search", placeholder: "Mug, lamp, blanket…", all: "All products", results: (query: string) => `“${query}”`, seeAll: (query: string) => `All results for “${query}”`,
    none: "Nothing matches", noneText: "Try fewer filters, or another word.", suggestions: (n: number) => many(n, "suggestion", "suggestions"),
    count: (n: number) => many(n, "product", "products"), filters: "Filters", clear: "Clear filters", sort: "Sort", next: "Next", previous: "Previous", pages: "Pages",
    sorts: { best: "Best match", popular: "Popular", newest: "Newest", cheap: "Price, low to high", dear: "Price, high to low", title: "A to Z" },
    from: "From", to: "To", apply: "Apply",
    labels: { availability: "Availability", price: "Price", vendor: "Maker", "product type": "Kind", type: "Kind", tag: "Tag", colour: "Colour", size: "Size", "in stock": "In stock", "out of stock": "Sold out" } as Record<string, string>,
  },
  product: {
    from: (price: string) => `from ${price}`, sale: "Reduced", was: (price: string) => `was ${price}`, soldOut: "Sold out", unavailable: "Not made in this combination",
    inStock: "In stock", few: (n: number) => `Only ${n} left`, add: "Add to cart", quantity: "Quantity", pictures: "Pictures", picture: (n: number, of: number) => `Picture ${n} of ${of}`, goesWith: "Goes well with", less: "One less", more: "One more",
  },
  cart: {
    title: "Cart", empty: "Your cart is empty.", emptyHint: "Look around", subtotal: "Goods", total: "Total", shippingLater: "Shipping is chosen at the checkout.", checkout: "Checkout",
    quantityOf: (title: string) => `Quantity of ${title}`, removeNamed: (title: string) => `Remove ${title}`, notAvailable: "Not available in this quantity", off: (code: string) => `${code}`,
    code: "Discount code", apply: "Apply", removeCode: (code: string) => `Remove the code ${code}`,
  },
  checkout: {
    title: "Checkout", contact: "Contact", email: "E-mail", phone: "Phone", phoneHint: "For a text when it ships: +49…", address: "Delivery address", firstName: "First name", lastName: "Last name", company: "Company", address1: "Street and number", address2: "Addition", zip: "Postcode", city: "Town", province: "Region",
    saved: "Saved addresses", newAddress: "Another address",
    shipping: "Shipping", noShipping: "Nothing can be sent to this country in one parcel of this weight.", free: "Free", payment: "Payment", cards: "Test cards",
    testNote: "No real cards here. Pick what the bank shall say.",
    pay: (price: string) => `Pay ${price}`, paying: "Paying…", summary: "Your order", taxIncluded: (tax: string) => `including ${tax} tax`, taxAdded: "Tax", taxLater: "Tax on shipping is added.", discount: "Discount",
    again: "No answer yet. Trying again with the same key, so that nothing is bought twice…",
    unknown: "The shop did not answer. Your order may have gone through: press the button again. It cannot be bought twice.",
    required: "Please fill this in.", emailWrong: "Please give an address like ada@example.com.", phoneWrong: "Please write it with the country in front: +491701234567.",
    signedInAs: (email: string) => `Signed in as ${email}`, haveAccount: "Have an account?", billing: "The invoice goes to the same address.", total: "Total",
    fix: "Please look at the marked fields.",
    methods: { pm_card_visa: "Visa, approved", pm_card_mastercard: "Mastercard, approved", pm_card_visa_chargeDeclined: "Visa, declined", pm_card_visa_chargeDeclinedInsufficientFunds: "Visa, not enough money", pm_card_authenticationRequired: "Visa, to be confirmed at the bank", pm_card_slow: "Visa, slow bank" } as Record<string, string>,
  },
  order: {
    title: (number: string) => `Order ${number}`, thanks: "Thank you.", mailTo: (email: string) => `We write to ${email} about every step.`, live: "Live", reconnecting: "Reconnecting…", timeline: "Progress", lines: "What you bought", to: "Goes to", totals: "Sums", shipping: "Shipping",
    subtotal: "Goods", discount: "Discount", tax: "Tax", total: "Total", paidWith: (card: string, last4: string) => `${card} ending in ${last4}`, refunded: "Refunded",
    confirmTitle: "Your bank wants a word", confirmText: "Confirm the payment at your bank. This page goes on by itself.", confirm: "Confirm at the bank",
    days: (min: number, max: number) => (min === max ? many(min, "working day", "working days") : `${min} to ${max} working days`),
    parcels: "Parcels", parcel: (n: number) => `Parcel ${n}`, track: "Track it", invoice: "Invoice", creditNote: "Credit note", pdf: "PDF", xml: "E-invoice (XML)", invoicePending: "The invoice is being written.",
    messages: "Messages", noMessages: "No messages yet.",
    cancel: "Call the order off", cancelSure: "Call the whole order off? The money goes back to your card.", cancelYes: "Yes, call it off", cancelNo: "Keep it",
    failed: "This order was not placed", failedText: "Nothing was sold and nothing charged.", tryAgain: "Back to the checkout",
    missing: "This order cannot be shown", missingText: "The link may be incomplete, or the order belongs to an account: sign in to see it.",
    status: { PENDING: "Placed", RESERVED: "Goods held for you", PAYING: "Paying", CONFIRMED: "Confirmed", FULFILLING: "Being packed", SHIPPED: "On its way", DELIVERED: "Delivered", FAILED: "Not placed", CANCELLED: "Called off", REFUNDED: "Refunded" } satisfies Record<OrderStatus, string>,
    parcelStatus: { OPEN: "To be packed", PICKING: "Being picked", PACKED: "Packed", SHIPPING: "Handed over", SHIPPED: "On its way", DELIVERED: "Delivered", FAILED_DELIVERY: "Could not be delivered", RETURNED: "Came back", CANCELLED: "Called off" } satisfies Record<FulfillmentStatus, string>,
    tracking: { BOOKED: "Announced to the carrier", IN_TRANSIT: "On its way", OUT_FOR_DELIVERY: "In the van", DELIVERED: "Delivered", FAILED: "Could not be delivered" } satisfies Record<FulfillmentTrackingStatus, string>,
  },
  account: {
    title: "Account", signIn: "Sign in", signOut: "Sign out", register: "Open an account", password: "Password", newPassword: "New password", currentPassword: "Password so far", passwordHint: "At least 8 characters.", show: "Show", hide: "Hide",
    forgot: "Forgot the password?", noAccount: "No account yet?", hasAccount: "Have an account already?", locale: "Language of our messages", marketing: "News now and then, by e-mail",
    mailSent: "Look into your mailbox", mailSentText: (email: string) => `We have written to ${email}. Follow the link in the mail.`, sendAgain: "Send it once more",
    recover: "Set a new password", recoverText: "We mail you a link.", sendLink: "Send the link",
    verifying: "Confirming your address…", verified: "Your address is confirmed", verifiedText: "You can sign in now.", resetDone: "The new password is set", linkBad: "This link is no longer good",
    orders: "Orders", noOrders: "You have not bought anything yet.", more: "Show more", items: (n: number) => many(n, "item", "items"),
    addresses: "Addresses", noAddresses: "No addresses yet.", addAddress: "Add an address", editAddress: "Change the address", isDefault: "Default", makeDefault: "Make it the default",
    profile: "Profile", saved: "Saved.", passwordChanged: "Your password is changed; other devices were signed out.", changePassword: "Change the password",
    hello: (name: string) => `Hello, ${name}`, sections: "Account",
  },
  mishaps: {
    OFFLINE: "The shop cannot be reached. Are you online?",
    UNAVAILABLE: "A part of the shop is having a rest. Please try again in a moment.",
    THROTTLED: "That was a lot at once. Please wait a moment.",
    UNAUTHENTICATED: "Please sign in.",
    INTERNAL_SERVER_ERROR: "Something went wrong on our side. Please try again.",
  } as Mishaps,
};

export type Words = typeof en;
