/**
 * What results and messages carry for models and people to see: text, images, audio, resources. Types only.
 */
import type { MetaObject } from './json-rpc.js';
import type { BaseMetadata, Icons } from './parties.js';

export type Role = 'user' | 'assistant';

export type Annotations = {
  audience?: Role[];
  /** 0 (least) to 1 (most important). */
  priority?: number;
  /** ISO 8601. */
  lastModified?: string;
};
type Block = { annotations?: Annotations; _meta?: MetaObject };

export type TextContent = Block & { type: 'text'; text: string };
export type ImageContent = Block & {
  type: 'image';
  /** base64 */
  data: string;
  mimeType: string;
};
export type AudioContent = Block & {
  type: 'audio';
  /** base64 */
  data: string;
  mimeType: string;
};
export type ResourceLink = Resource & { type: 'resource_link' };
export type EmbeddedResource = Block & {
  type: 'resource';
  resource: TextResourceContents | BlobResourceContents;
};
export type ContentBlock = TextContent | ImageContent | AudioContent | ResourceLink | EmbeddedResource;

export type Resource = BaseMetadata &
  Icons & {
    uri: string;
    description?: string;
    mimeType?: string;
    annotations?: Annotations;
    /** Bytes before encoding. */
    size?: number;
    _meta?: MetaObject;
  };
export type ResourceContents = { uri: string; mimeType?: string; _meta?: MetaObject };
export type TextResourceContents = ResourceContents & { text: string };
export type BlobResourceContents = ResourceContents & {
  /** base64 */
  blob: string;
};
