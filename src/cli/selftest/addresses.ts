/**
 * The addresses of the self-test's network. Pure.
 * @module
 */

/** The addresses of the drawing. */
export const ADDRESSES = {
  ipv4: {
    client: "10.77.1.2",
    lan: "10.77.1.1",
    wan: "198.51.100.1",
    server: "198.51.100.2",
    stranger: "198.51.100.3",
  },
  ipv6: {
    client: "fd77:1::2",
    lan: "fd77:1::1",
    wan: "2001:db8:77::1",
    server: "2001:db8:77::2",
    stranger: "2001:db8:77::3",
  },
} as const;
