/** Why a message is refused, for the log and the operator: these words alone, never a text of the sender's. */
export type SamlFaultReason =
  // Its form.
  | 'size'
  | 'encoding'
  | 'markup'
  | 'xml'
  | 'structure'
  | 'version'
  | 'time'
  | 'expired'
  // Who signed what of it.
  | 'encrypted'
  | 'wrapped'
  | 'unsigned'
  | 'misplaced_signature'
  | 'reference'
  | 'algorithm'
  | 'transform'
  | 'signature'
  // What it says.
  | 'status'
  | 'issuer'
  | 'destination'
  | 'in_response_to'
  | 'recipient'
  | 'audience'
  | 'subject'
  | 'transient_name'
  | 'confirmation'
  | 'conditions'
  | 'not_yet_valid'
  | 'authentication'
  // What metadata lacks.
  | 'entity_id'
  | 'sso_url'
  | 'slo_url'
  | 'certificate';

export type SamlRefused = { kind: 'refused'; reason: SamlFaultReason };

/** Ends the reading of a message; `refusable` turns it into an outcome. */
class SamlFault extends Error {
  override readonly name = 'SamlFault';
  readonly reason: SamlFaultReason;

  constructor(reason: SamlFaultReason) {
    super(`The message is refused: ${reason}`);
    this.reason = reason;
  }
}

export const refuse = (reason: SamlFaultReason): never => {
  throw new SamlFault(reason);
};

/** What `read` gives, or why something in it refused to go on. */
export const refusable = <Outcome>(read: () => Outcome): Outcome | SamlRefused => {
  try {
    return read();
  } catch (error) {
    if (error instanceof SamlFault) return { kind: 'refused', reason: error.reason };
    throw error;
  }
};
