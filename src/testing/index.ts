/** The public surface of "millrace/testing": an in-process cluster under virtual time. */
export {};
