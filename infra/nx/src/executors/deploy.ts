import { undoing } from '../levada/apart';
import { executor } from '../levada/executor';

export default executor('deploy', undoing);
