import { executor } from '../levada/executor';

export default executor('dev');
