/** The public surface of "millrace": everything an application imports, by explicit names. */
export {};
