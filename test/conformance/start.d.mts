export function startEverything(engine: 'native' | 'js'): Promise<{ url: string; stop(): Promise<void> }>;
