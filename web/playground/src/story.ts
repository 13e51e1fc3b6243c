// The story of a purchase, tab by tab. What stands in {{double braces}} is
// filled in from earlier answers: see memory.ts. A comment's lines are as long
// as its paragraphs: the editor breaks them where it ends.

const variables = (value: unknown) => JSON.stringify(value, null, 2);

const search = {
  name: "Search",
  query: `# 1. SEARCH: find something to buy.
#
# Press Ctrl-Enter, or ▶. Slips of the finger are forgiven: see the variables.
#
# Look at \`filters\`, the facets a storefront shows beside the results, and at the first variant: the next tab, Cart, puts it into a cart.

query Search($text: String!, $atMost: Float) {
  products(
    first: 3
    query: $text
    sortKey: RELEVANCE
    filters: [{ price: { max: $atMost } }, { available: true }]
  ) {
    nodes {
      title
      vendor
      variants(first: 2) {
        nodes {
          id
          title
          price { amount currencyCode }
          availableForSale
          quantityAvailable
        }
      }
    }
    filters {
      label
      values { label count }
    }
  }
}
`,
  variables: variables({ text: "stonewear mug", atMost: 25 }),
};

const cart = {
  name: "Cart",
  query: `# 2. CART: two of them, with a discount code.
#
# {{variant.id}} in the variables is filled in: the first variant that Search found.
#
# Look at what the code takes off, and at the ways to send the goods: checkout takes the \`handle\` of one as \`shippingRate\`.

mutation Cart($input: CartInput!) {
  cartCreate(input: $input) {
    cart {
      id
      totalQuantity
      lines(first: 5) {
        nodes {
          quantity
          merchandise {
            ... on ProductVariant { title product { title } }
          }
          cost { totalAmount { amount currencyCode } }
          discountAllocations { discountedAmount { amount } }
        }
      }
      cost {
        subtotalAmount { amount currencyCode }
        totalTaxAmount { amount currencyCode }
        totalAmount { amount currencyCode }
      }
      deliveryGroups(first: 1) {
        nodes {
          deliveryOptions { handle title estimatedCost { amount currencyCode } }
        }
      }
    }
    userErrors { code field message }
    warnings { code message }
  }
}
`,
  variables: variables({
    input: {
      lines: [{ merchandiseId: "{{variant.id}}", quantity: 2 }],
      discountCodes: ["WELCOME10"],
      buyerIdentity: { countryCode: "DE", email: "ada@example.com" },
    },
  }),
};

const address = {
  firstName: "Ada",
  lastName: "Lovelace",
  address1: "Hafenstrasse 1",
  city: "Hamburg",
  zip: "20359",
  countryCode: "DE",
};

const order = `order {
      id
      number
      version
      status
      reason
      totals {
        totalAmount { amount currencyCode }
        shippingAmount { amount currencyCode }
        taxAmount { amount currencyCode }
      }
      payment { state actionUrl card { brand last4 } }
      timeline { at status cause }
    }
    accessToken
    userErrors { code field message }`;

const input = (cartId: string, method: string) => ({
  input: {
    cartId,
    idempotencyKey: "{{checkout.key}}",
    email: "ada@example.com",
    phone: "+491701234567",
    shippingAddress: address,
    payment: { method },
  },
});

const checkout = {
  name: "Checkout",
  query: `# 3. CHECKOUT: buy the cart with a test card. No money moves.
#
# Look at the order's timeline, from PENDING to CONFIRMED. Then press Ctrl-Enter again: the same idempotency key gives the same order, and the card is not charged twice.
#
# Other cards, each for a new cart (run Cart again):
#   pm_card_visa_chargeDeclined – the bank refuses
#   pm_card_visa_chargeDeclinedInsufficientFunds
#   pm_card_slow – takes three seconds
#   pm_card_answerLost – approved, but nobody hears of it
#   pm_card_processorDown – fails a few times first
#   pm_card_authenticationRequired – see the tab AskTheBank

mutation Checkout($input: CheckoutInput!) {
  checkout(input: $input) {
    ${order}
  }
}
`,
  variables: variables(input("{{cart.id}}", "pm_card_visa")),
};

const watch = {
  name: "WatchOrder",
  query: `# 4. WATCH THE ORDER: a subscription.
#
# It sends what is, then every change, until you stop it: ■, or Ctrl-Enter again. The switch above chooses how it travels: over a WebSocket or as server-sent events.
#
# Look at \`version\`, which only grows: who comes back with the last one as \`afterVersion\` misses nothing and sees nothing twice.

subscription WatchOrder($orderId: ID!, $accessToken: String, $afterVersion: Int) {
  orderStatus(orderId: $orderId, accessToken: $accessToken, afterVersion: $afterVersion) {
    number
    version
    status
    payment {
      state
      actionUrl
      capturedAmount { amount currencyCode }
      refundedAmount { amount currencyCode }
    }
    timeline { at status cause }
  }
}
`,
  variables: variables({ orderId: "{{order.id}}", accessToken: "{{order.accessToken}}" }),
};

const messages = {
  name: "WatchMessages",
  query: `# 5. WATCH THE MESSAGES: what the customer is told, by mail and SMS.
#
# Look at the status: SENT when the provider has it, DELIVERED when the phone has shown it. The mail waits a moment for the invoice and brings it along. Both can be read on the sandbox's page, whose address the program prints when it starts.

subscription WatchMessages($orderId: ID!, $accessToken: String, $afterVersion: Int) {
  notificationStatus(orderId: $orderId, accessToken: $accessToken, afterVersion: $afterVersion) {
    version
    notifications { kind channel status updatedAt }
  }
}
`,
  variables: variables({ orderId: "{{order.id}}", accessToken: "{{order.accessToken}}" }),
};

const cancel = {
  name: "Cancel",
  query: `# 6. CANCEL: call it off, while it has not been shipped.
#
# The goods go back on the shelf and the money to the card. Run WatchOrder once more and look at \`refundedAmount\`.

mutation Cancel($input: OrderCancelInput!) {
  orderCancel(input: $input) {
    order {
      number
      status
      payment {
        state
        capturedAmount { amount currencyCode }
        refundedAmount { amount currencyCode }
      }
      timeline { at status cause }
    }
    userErrors { code message }
  }
}
`,
  variables: variables({
    input: {
      orderId: "{{order.id}}",
      accessToken: "{{order.accessToken}}",
      reason: "Only trying the playground",
    },
  }),
};

const confirm = {
  name: "AskTheBank",
  query: `# 7. ASK THE BANK: a card whose owner has to confirm.
#
# The last cart was bought, so run Cart again first.
#
# Look at the status, PAYING, and at \`payment.actionUrl\`, the bank's page. Run WatchOrder, open that address (Ctrl-click), confirm there, and see the order change here.

mutation AskTheBank($input: CheckoutInput!) {
  checkout(input: $input) {
    ${order}
  }
}
`,
  variables: variables(input("{{unpaidCart.id}}", "pm_card_authenticationRequired")),
};

/** The story's tabs, each named as its operation. */
export const story = [search, cart, checkout, watch, messages, cancel, confirm] as const;
