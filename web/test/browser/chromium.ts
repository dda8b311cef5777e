/** A headless Chromium over its DevTools protocol by pipe: no driver, no port. */

import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";

type Message = { id?: number; method?: string; params?: Record<string, unknown>; result?: Record<string, unknown>; error?: { message: string } };

/** The browser's path: of the variable, else Debian's. */
export const CHROMIUM = process.env.ACCELBENCH_CHROMIUM ?? "/usr/bin/chromium";

export class Page {
  /** Console errors, exceptions, violations of the policy; and every address that was asked for. */
  readonly problems: string[] = [];
  readonly asked: string[] = [];
  private readonly waiting = new Map<number, { ok: (result: Record<string, unknown>) => void; fail: (error: Error) => void }>();
  private next = 1;
  private session = "";
  private rest = "";

  private constructor(private readonly process: ChildProcess, private readonly profile: string) {
    (process.stdio[4] as Readable).setEncoding("utf8").on("data", (chunk: string) => {
      const parts = (this.rest + chunk).split("\0");
      this.rest = parts.pop() ?? "";
      for (const part of parts) this.hear(JSON.parse(part) as Message);
    });
  }

  static async start(): Promise<Page> {
    const profile = mkdtempSync(join(tmpdir(), "board-browser-"));
    const child = spawn(CHROMIUM, ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--hide-scrollbars", "--remote-debugging-pipe", `--user-data-dir=${profile}`, "about:blank"], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    const page = new Page(child, profile);
    const target = await page.send("Target.createTarget", { url: "about:blank" });
    const attached = await page.send("Target.attachToTarget", { targetId: target.targetId, flatten: true });
    page.session = String(attached.sessionId);
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await page.send(`${domain}.enable`);
    return page;
  }

  async close(): Promise<void> {
    const gone = new Promise((done) => this.process.once("exit", done));
    await this.send("Browser.close").catch(() => undefined);
    await gone;
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  send(method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const id = this.next++;
    const session = this.session && !/^(Target|Browser)\./.test(method) ? { sessionId: this.session } : {};
    (this.process.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    return new Promise((ok, fail) => this.waiting.set(id, { ok, fail }));
  }

  async size(width: number, height: number): Promise<void> {
    await this.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
  }

  async theme(scheme: "light" | "dark"): Promise<void> {
    await this.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
  }

  /** Opens an address anew and waits for the view; gives the milliseconds until it was usable. */
  async open(url: string): Promise<number> {
    await this.send("Page.navigate", { url: "about:blank" });
    const began = performance.now();
    await this.send("Page.navigate", { url });
    await this.until("document.documentElement.dataset.ready !== undefined && !document.querySelector('[aria-busy=true]')");
    return performance.now() - began;
  }

  async until(condition: string): Promise<void> {
    for (let tries = 0; tries < 600; tries += 1) {
      if (await this.run<boolean>(condition).catch(() => false)) return;
      await new Promise((done) => setTimeout(done, 20));
    }
    throw new Error(`never: ${condition}\n${this.problems.join("\n")}`);
  }

  async run<T>(expression: string): Promise<T> {
    const answer = await this.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    const bad = answer.exceptionDetails as { exception?: { description?: string } } | undefined;
    if (bad) throw new Error(bad.exception?.description ?? "threw");
    return (answer.result as { value: T }).value;
  }

  async key(name: string, code: number, text = ""): Promise<void> {
    for (const type of ["keyDown", "keyUp"]) await this.send("Input.dispatchKeyEvent", { type, key: name, code: name, windowsVirtualKeyCode: code, ...(type === "keyDown" && text ? { text } : {}) });
  }

  async picture(): Promise<Buffer> {
    const height = await this.run<number>("Math.min(document.documentElement.scrollHeight, 3200)");
    const width = await this.run<number>("innerWidth");
    const shot = await this.send("Page.captureScreenshot", { captureBeyondViewport: true, clip: { x: 0, y: 0, width, height, scale: 1 } });
    return Buffer.from(String(shot.data), "base64");
  }

  private hear(message: Message): void {
    if (message.id !== undefined) {
      const waiting = this.waiting.get(message.id);
      this.waiting.delete(message.id);
      if (message.error) waiting?.fail(new Error(message.error.message));
      else waiting?.ok(message.result ?? {});
      return;
    }
    const params = message.params ?? {};
    if (message.method === "Runtime.exceptionThrown") this.problems.push(JSON.stringify((params.exceptionDetails as { exception?: unknown }).exception));
    if (message.method === "Runtime.consoleAPICalled" && ["error", "warning", "assert"].includes(String(params.type))) this.problems.push(JSON.stringify(params.args));
    if (message.method === "Log.entryAdded") this.problems.push(String((params.entry as { text: string }).text));
    if (message.method === "Network.requestWillBeSent") this.asked.push(String((params.request as { url: string }).url));
  }
}
