/** Version of the program; a test keeps deno.json's the same. */
export const VERSION = "0.1.0";
