export {
  type Availability,
  allHooks,
  type HookAvailability,
  type HookName,
  hookAvailable,
} from './feature/hooks.js';
