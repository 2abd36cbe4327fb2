// The smallest media that are what they say, and the shape of most results.
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
const SILENCE = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=';

export const PNG = PIXEL;
export const IMAGE = { type: 'image', data: PIXEL, mimeType: 'image/png' };
export const AUDIO = { type: 'audio', data: SILENCE, mimeType: 'audio/wav' };

export function text(value) {
  return { content: [{ type: 'text', text: value }] };
}
