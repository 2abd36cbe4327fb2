/**
 * Legacy session ids that the door knows. What a session holds is kept above; here it is only alive or not.
 */
export class Sessions {
  private readonly ids = new Set<string>();

  open(id: string): void {
    this.ids.add(id);
  }

  close(id: string): void {
    this.ids.delete(id);
  }

  has(id: string): boolean {
    return this.ids.has(id);
  }
}
