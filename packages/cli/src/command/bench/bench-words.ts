// The words that options of `lks bench` accept.

/** Without an acknowledgement there is nothing to measure. */
export const benchAcks = ['all', '1'] as const
