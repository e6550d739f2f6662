import { writeFile } from "node:fs/promises";
import { type Profiler, Session } from "node:inspector";

/** A CPU profile of this process, in the format that Chrome and `node --cpu-prof` use. */
export class Profile {
  readonly #session: Session;
  readonly #file: string;

  private constructor(session: Session, file: string) {
    this.#session = session;
    this.#file = file;
  }

  static async begin(file: string): Promise<Profile> {
    const session = new Session();
    session.connect();
    const profile = new Profile(session, file);
    await profile.#post("Profiler.enable");
    await profile.#post("Profiler.start");
    return profile;
  }

  async end(): Promise<void> {
    const { profile } = await this.#post<{ profile: Profiler.Profile }>("Profiler.stop");
    this.#session.disconnect();
    await writeFile(this.#file, JSON.stringify(profile));
  }

  #post<T>(method: string): Promise<T> {
    return new Promise((resolve, reject) =>
      this.#session.post(method, (error, result) => {
        if (error) reject(error);
        else resolve(result as T);
      })
    );
  }
}
