import { appendFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';

/** The log of one function: a file that grows, in the form of its CloudWatch log group. */
export class FunctionLog {
  private readonly file: string;

  constructor(folder: string, functionName: string) {
    mkdirSync(folder, { recursive: true });
    this.file = path.join(folder, `${functionName}.log`);
  }

  /** Collects one invocation's lines and writes them together, so that those of others do not come between. */
  invocation(requestId: string): {
    print(text: string): void;
    end(outcome: string, milliseconds: number): string;
  } {
    let text = `START RequestId: ${requestId} Version: $LATEST\n`;
    return {
      print: (more) => (text += more),
      end: (outcome, milliseconds) => {
        if (!text.endsWith('\n')) text += '\n';
        if (outcome !== '') text += `${requestId}\tERROR\t${outcome}\n`;
        text += `END RequestId: ${requestId}\n`;
        text += `REPORT RequestId: ${requestId}\tDuration: ${milliseconds.toFixed(2)} ms\n`;
        appendFileSync(this.file, text);
        return text;
      },
    };
  }
}
