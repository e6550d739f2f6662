/** The version in deno.json and package.json. */
export const version = "0.1.0";
