/**
 * Commands to one partition that are not answered yet, in order. Their sequences have no gaps, so each is found by its
 * number, and dropping the first of 10,000 moves nothing.
 */
import type { ContentRef } from '../../streams/content.js';

/** An actor's command to another partition. */
export interface SentCommand {
  readonly seq: number;
  /** `<noun>.<verb>` */
  readonly command: string;
  readonly body: Uint8Array;
  /** The actor that sent it. */
  readonly kind: string;
  readonly id: string;
}

export interface PendingCommand extends SentCommand {
  /** Position of the commit that it was sent in. Until that one is acknowledged, it does not go out. */
  readonly commitSeq: number;
  /** Of the body. */
  readonly content: ContentRef | undefined;
}

/** Answered commands that may stay in the array before it is copied. */
const FEW = 64;

export class PendingCommands {
  /** Position of the commit that recorded the latest answers, as far as this leader made it itself. */
  answeredCommitSeq = 0;
  /** How many at the front are answered. */
  private answered = 0;

  /** @param lastSeq of the last command that was ever sent */
  constructor(public lastSeq = 0, private commands: PendingCommand[] = []) {}

  get size(): number {
    return this.commands.length - this.answered;
  }

  /** Of the first that is not answered; one more than {@link lastSeq} if all are. */
  get firstSeq(): number {
    return this.lastSeq - this.size + 1;
  }

  add(command: PendingCommand): void {
    this.lastSeq = command.seq;
    this.commands.push(command);
  }

  first(most: number): readonly PendingCommand[] {
    return this.commands.slice(this.answered, this.answered + most);
  }

  upTo(seq: number): readonly PendingCommand[] {
    return this.first(Math.min(this.size, Math.max(0, seq - this.firstSeq + 1)));
  }

  drop(upToSeq: number): void {
    this.answered += this.upTo(upToSeq).length;
    if (this.size > 0 && (this.answered < FEW || this.answered * 2 < this.commands.length)) return;
    this.commands = this.commands.slice(this.answered);
    this.answered = 0;
  }
}
