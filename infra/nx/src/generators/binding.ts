import { generator } from '../levada/generator';

export default generator('binding');
