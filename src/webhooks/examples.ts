/** What the examples of the API documents refer to; the webhooks exist on a fresh embedded start, and are disabled. */
export const EXAMPLE_WEBHOOK = 'whk_00000000000070008000000000000001';
/** One to delete. */
export const EXAMPLE_OLD_WEBHOOK = 'whk_00000000000070008000000000000002';
export const EXAMPLE_DELIVERY = 'dlv_00000000000070008000000000000001';
