import { codec } from '../../ts/engine/js/codec/index.js';
import { codecCases } from './codec.case.js';

codecCases({ codec } as never);
