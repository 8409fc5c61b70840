package terms

import (
	"strings"
	"sync"
)

// language is one that has a stemmer of its own among those that share a script.
type language uint8

const (
	unknown language = iota
	inEnglish
	inGerman
	inFrench
	inSpanish
	inItalian
	inPortuguese
	inDutch
	inNorthern // Swedish, Danish, Norwegian
	inRussian
	inPolish // from here on without a stemmer
	inCzech
	inRomanian
	inTurkish
	inFinnish
	inHungarian
	inIndonesian
	languages
)

// functionWords are the words that a sentence cannot do without: they tell the language, and little else. They are folded, and
// a word may be in several languages.
var functionWords = [languages]string{
	inEnglish: `a an and are as at be been being but by can could did do does doing for from had has have having he her hers him his how i if in into is it its itself
me my nor not of off on once only or other our ours out over own same she should so some such than that the their theirs them then there these they this those through to too
under until up very was we were what when where which while who whom whose why will with would you your yours about above after again against all am any because before
below between both cannot dont down during each few further here just more most no now s t many much may might must shall us also upon within without whether did`,
	inGerman: `aber alle allem allen aller alles als also am an ander andere anderem anderen anderer anderes auch auf aus bei beim bin bis bist da damit dann das dass
dasselbe dein deine dem den denn der des dessen dich die dies diese diesem diesen dieser dieses dir doch dort du durch ein eine einem einen einer eines einige einigen er
es etwas euch euer fur gegen gewesen hab habe haben hat hatte hatten hier hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer ihres im in indem ins ist jede jedem jeden
jeder jedes jene jenem jenen jener jenes jetzt kann kein keine keinem keinen keiner konnen konnte konnten man manche mein meine mich mir mit muss musste nach nicht nichts
noch nun nur ob oder ohne sehr sein seine seinem seinen seiner seines selbst sich sie sind so solche soll sollte sondern sonst uber um und uns unser unsere unter viel viele
vom von vor wahrend war waren warum was weg weil welche welchem welchen welcher welches wenn wer werde werden wessen wie wieder will wir wird wirst wo wofur woher wohin
wollen worden wovon wurde wurden zu zum zur zwar zwischen wem wen wann wodurch womit woran worauf woraus welch bereits sowie`,
	inFrench: `a ai aux avec avait ce cela ces cet cette c d dans de des du elle elles en est et etait ete etre eu eux il ils je j l la le les leur leurs lui ma mais me
meme mes mon n ne nos notre nous on ont ou par pas pour plus qu quand que quel quelle quelles quels qui quoi s sa sans se ses si son sont sur ta te tes toi ton tu un une
vos votre vous y comment pourquoi combien lequel laquelle sous fut aussi entre`,
	inSpanish: `a al algo algunos ante antes como con contra cual cuales cuando cuantos cuantas cuanto de del desde donde durante e el ella ellas ellos en entre era eran es
esa ese eso esta estaba estan estas este esto estos fue fueron ha habia han hasta hay la las le les lo los mas me mi muy no nos o otra otro para pero por porque que quien
quienes se ser si sin sobre son su sus tambien tiene tienen todo todos tu un una uno unos y ya yo`,
	inItalian: `a ad agli ai al alla alle allo anche c che chi ci come con contro cosa cui d da dagli dai dal dalla dalle de degli dei del della delle dello di dove e ed era
erano essere fu furono gli ha hanno i il in io l la le lo loro ma me mi ne nei nel nella nelle nello noi non o per perche piu qual quale quali quando quanti quanto quella
quelle quello questa queste questo qui se si sia sono su sua sue sugli sui sul sulla suo suoi tra un una uno vi voi`,
	inPortuguese: `a ao aos as ate com como da das de dela dele do dos e ela elas ele eles em entre era eram essa esse esta este eu foi foram ha isso isto ja mais mas me
mesmo meu muito na nao nas nem no nos o os ou para pela pelas pelo pelos por porque qual quais quando quanto quantos que quem se sem ser seu seus sua suas sao tambem tem
ter teve um uma umas voce onde`,
	inDutch: `aan al als bij dan dat de deze die dit doch door dus een en er ge geen had hadden heb hebben heeft het hier hij hoe hoeveel hun iets ik in is ja je kan kon maar
me meer men met mij na naar niet nog nu of om omdat onder ons ook op over reeds te tegen toch toen tot u uit uw van veel voor waar waarom wanneer waren was wat welk welke
werd werden wie wij wil worden wordt zal ze zei zelf zich zij zijn zo zou`,
	inNorthern: `och att det som pa ar av for med den till inte har de ett jag men om var vi sa han hon eller nar fran ut sin over vid mot under efter ocks kan hur vad vem
vilka vilken vilket varfor og er ikke jeg til af blev hvad hvem hvor hvorfor hvordan hvilke hvilken hvilket nar ogsa fra ble ved sig seg etter skal vil men ha hade
blir bli i en et hos mellan mellem mellom`,
	inRussian: `а без более бы был была были было быть в вам вас весь во вот все всего всех вы где да для до его ее если есть еще же за здесь и из или им их к как какая какие
какой когда кто куда ли между меня мне много может мы на над надо нас не него нее нет ни них но ну о об однако он она они оно от очень по под после потому почему при про с
сколько со так также такой там те тем то того тоже той только том ты у уже чего чем что чтобы чье эта эти это этого этой этот я`,
	inPolish:     `i w z na do nie sie jest to o jak po co ale przez od za ze dla czy oraz ktory ktora ktore tym byl byla jego sa gdzie kto kiedy dlaczego ile jaki jaka`,
	inCzech:      `a se v na je ze s z do o i to jako za by po ale byl byla jsou ktery ktera ktere pro od nebo co kdo kde kdy proc jak kolik jaky`,
	inRomanian:   `si in la cu pe nu din este care un o de mai pentru sau fost sunt ce cine unde cand cum cat dintre al ale`,
	inTurkish:    `ve bir bu icin ile da de ne cok daha olan olarak gibi kadar sonra en ki mi kim nerede nasil neden kac hangi`,
	inFinnish:    `ja on ei se etta oli hanen kuin mutta tai joka mika missa kuka milloin miksi miten ovat myos mukaan`,
	inHungarian:  `a az es hogy nem is egy ez meg volt ki mi hol mikor miert hogyan mely mennyi vagy csak mint`,
	inIndonesian: `yang dan di ini itu dengan untuk dari pada adalah ke tidak dalam oleh siapa apa mana kapan mengapa bagaimana berapa`,
}

// joins says of a language that it writes several words as one, or that nothing here knows its endings: pieces of its long
// words are terms, too.
func (l language) joins() bool {
	return l == unknown || l == inGerman || l == inDutch || l == inNorthern || l >= inPolish
}

// stops tells in which languages a word is a function word: bit l for language l. It is made when the first text comes, as not
// every isolate reads one.
var stops = sync.OnceValue(func() map[string]uint32 {
	m := make(map[string]uint32, 2000)
	for l, words := range functionWords {
		for w := range strings.FieldsSeq(words) {
			folded := string(foldWord(w))
			m[folded] |= 1 << l
		}
	}
	return m
})

func foldWord(w string) []byte {
	var b []byte
	for _, r := range w {
		b = appendFolded(b, r)
	}
	return b
}
