// What states are called here: as those who work with them say it.
import type { FulfillmentStatus, FulfillmentTrackingStatus, NotificationChannel, NotificationKind, NotificationStatus, OrderFailureReason, OrderRefundStatus, OrderStatus, PaymentState, ReservationStatus } from "./gql.ts";
import type { Tone } from "./parts.tsx";

type Named<State extends string> = Record<State, [name: string, tone: Tone]>;

export const orderStates: Named<OrderStatus> = {
  PENDING: ["Placed", "busy"],
  RESERVED: ["Stock held", "busy"],
  PAYING: ["Paying", "busy"],
  CONFIRMED: ["Confirmed", "busy"],
  FULFILLING: ["Packing", "busy"],
  SHIPPED: ["Shipped", "good"],
  DELIVERED: ["Delivered", "good"],
  FAILED: ["Failed", "bad"],
  CANCELLED: ["Called off", "warn"],
  REFUNDED: ["Refunded", "quiet"],
};

/** The states from which an order goes on by itself. */
export const moving = new Set<OrderStatus>(["PENDING", "RESERVED", "PAYING", "CONFIRMED", "FULFILLING", "SHIPPED", "CANCELLED"]);

export const failures: Record<OrderFailureReason, string> = {
  OUT_OF_STOCK: "Out of stock",
  CART_INVALID: "The cart could not be bought any more",
  CARD_DECLINED: "Card declined",
  INSUFFICIENT_FUNDS: "Not enough money",
  EXPIRED_CARD: "Card expired",
  INVALID_PAYMENT_METHOD: "No such payment method",
  PAYMENT_NOT_CONFIRMED: "Payment not confirmed",
  PAYMENT_UNAVAILABLE: "Card processor away",
  CANCELLED: "Called off before it was confirmed",
  TIMEOUT: "Took too long",
};

export const paymentStates: Named<PaymentState> = {
  AUTHORISING: ["Authorising", "busy"],
  ACTION_NEEDED: ["To be confirmed at the bank", "warn"],
  AUTHORISED: ["Authorised", "busy"],
  CAPTURING: ["Capturing", "busy"],
  CAPTURED: ["Captured", "good"],
  DECLINED: ["Declined", "bad"],
  VOIDING: ["Being given up", "warn"],
  VOIDED: ["Given up", "quiet"],
};

export const refundStates: Named<OrderRefundStatus> = {
  PENDING: ["Under way", "busy"],
  SUCCEEDED: ["Refunded", "good"],
  FAILED: ["Refused", "bad"],
};

export const reservationStates: Named<ReservationStatus> = {
  HELD: ["Held", "busy"],
  COMMITTED: ["Sold", "good"],
  RELEASED: ["Given back", "quiet"],
  RESTOCKED: ["Restocked", "quiet"],
};

export const parcelStates: Named<FulfillmentStatus> = {
  OPEN: ["To pick", "warn"],
  PICKING: ["In hand", "busy"],
  PACKED: ["Packed", "busy"],
  SHIPPING: ["Being booked", "busy"],
  SHIPPED: ["On the way", "good"],
  DELIVERED: ["Delivered", "good"],
  FAILED_DELIVERY: ["Not delivered", "bad"],
  RETURNED: ["Came back", "quiet"],
  CANCELLED: ["Called off", "quiet"],
};

export const trackingStates: Record<FulfillmentTrackingStatus, string> = {
  BOOKED: "booked",
  IN_TRANSIT: "in transit",
  OUT_FOR_DELIVERY: "in the van",
  DELIVERED: "delivered",
  FAILED: "could not be delivered",
};

export const messageStates: Named<NotificationStatus> = {
  QUEUED: ["Queued", "busy"],
  SENT: ["Sent", "good"],
  DELIVERED: ["Arrived", "good"],
  UNDELIVERED: ["Not arrived", "bad"],
  DEAD: ["Given up", "bad"],
  DROPPED: ["Put away", "quiet"],
  OBSOLETE: ["Not needed", "quiet"],
  OPTED_OUT: ["Not wanted", "quiet"],
};

export const messageKinds: Record<NotificationKind, string> = {
  VERIFY: "Confirm the address",
  ALREADY_REGISTERED: "Has an account already",
  RESET: "New password",
  INVITE: "Taken on",
  PASSWORD_CHANGED: "Password changed",
  CONFIRMED: "Order confirmed",
  FAILED: "Order failed",
  SHIPPED: "Parcel shipped",
  DELIVERED: "Parcel delivered",
  CANCELLED: "Order called off",
  REFUNDED: "Money refunded",
  INVOICE: "Invoice",
};

export const channels: Record<NotificationChannel, string> = { MAIL: "mail", SMS: "text" };
