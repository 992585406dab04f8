/**
 * The layout of struct epoll_event: the only one that depends on the processor.
 * @module
 */

/**
 * struct epoll_event as 32-bit words: packed on x86-64 (events, data), padded elsewhere (events, pad, data).
 */
export const EPOLL_EVENT_WORDS = Deno.build.arch === "x86_64" ? 3 : 4;
/** Word offset of `data` in struct epoll_event. */
export const EPOLL_EVENT_DATA = Deno.build.arch === "x86_64" ? 1 : 2;
