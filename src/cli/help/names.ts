/**
 * Names of the topics, for those who need no more; a test holds them against the topics.
 * @module
 */

/** See the module. */
export const TOPIC_NAMES: readonly string[] = ["config", "rules", "exit-codes", "json", "files", "signals"];
