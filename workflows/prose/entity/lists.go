package entity

import (
	"strings"
	"sync"
)

// words is a set of words that is made when it is needed first.
func words(text string) func() map[string]bool {
	return sync.OnceValue(func() map[string]bool { return set(text) })
}

// lines is a set of phrases, which commas divide.
func lines(text string) func() map[string]bool {
	return sync.OnceValue(func() map[string]bool {
		m := map[string]bool{}
		for phrase := range strings.SplitSeq(text, ",") {
			m[strings.TrimSpace(phrase)] = true
		}
		return m
	})
}

// titles stand before names of persons.
var titles = words(`mr mrs ms miss mx dr prof professor sir lady lord dame president chancellor minister senator governor mayor king queen prince princess pope bishop
captain colonel general lieutenant sergeant major judge justice detective inspector ambassador secretary herr frau monsieur madame mme mlle señor señora sr sra srta don doña
senhor senhora dom dona signor signora signore doutor doutora président présidente presidente präsident präsidentin kanzler kanzlerin bundeskanzler minister ministerin ministro ministra king königin
könig dottor ingegnere engenheiro mevrouw meneer rabbi imam sheikh`)

// address are titles that stand before nothing but names, and common those that are words of every day too: "general European revival", "11 ms".
var (
	address = words(`mr mrs mx dr prof sir lady lord dame herr frau monsieur madame mme mlle señor señora sra srta don doña senhor senhora dom dona signor signora mevrouw meneer`)
	common  = words(`general major judge justice miss ms`)
)

// offices are the words behind "General" and "Major" that make no name with it.
var offices = words(`manager assembly conference board election elections staff counsel public electric medical league affairs agreement post terms conditions information
practitioner practice purpose relativity strike data protection`)

// things end names that persons' names are in: "Victoria Constitution Act".
var things = words(`act acts bible prize prizes award awards medal cup theorem conjecture committees commons`)

// determiners stand before things.
var determiners = words(`the an every each this that these those any some another`)

// noble are the particles that a name begins with.
var noble = words(`de da do das dos del della di van von der den ter la le du bin ibn al el`)

// particles are the small words within names.
var particles = words(`de da do das dos del della di van von der den ten ter la le du des bin ibn al el y e zu zur of for and und et`)

// abbreviated are words of names that may end with a point.
var abbreviated = words(`mr mrs ms dr prof sr sra jr st mt gen col lt sgt rev hon inc ltd co corp bros gov sen rep pres mme mlle`)

// corporate are the words that stand at the end of organizations' names.
var corporate = words(`inc incorporated corp corporation co company ltd limited llc llp plc gmbh ag kg se ohg ev sa sas sarl spa srl bv nv oy ab asa lda ltda pty group gruppe
holding holdings bank banks university college school academy institute institut hospital museum foundation association society union council committee commission authority agency
ministry department office bureau federation league party club church parliament congress senate court airlines airways industries technologies systems software laboratories labs
partners ventures capital motors pharmaceuticals energy insurance press news times post journal magazine studios records orchestra theatre theater united city fc team
universität hochschule verein stiftung verband gesellschaft ministerium universidade universidad université università universiteit fundação fundación fondation fondazione
associação asociación empresa grupo groupe gruppo sociedade société sociedad`)

// corporateHeads say it wherever they stand in a name.
var corporateHeads = words(`university universität universidade universidad université università universiteit institute institut instituto istituto ministry ministério ministerio ministère
ministero ministerium bank banco banque banca bundesbank department departamento commission comissão comisión kommission council association associação asociación foundation
fundação fundación fondation fondazione stiftung organization organisation organização organización academy akademie academia académie federation hospital museum museu museo musée
college society agency agência agencia agence câmara corporation committee parliament supreme`)

// placeHeads are the words that names of places begin with, and placeTails those that they end with.
var (
	placeHeads = words(`lake mount mt cape port fort isle gulf bay san santa são saint st rio río ilha isla île ile pico serra sierra monte lago lac rua rue calle avenida
avenue via piazza praça plaza place puerto porto ponta cabo levada north south east west northern southern eastern western new`)
	placeTails = words(`river lake mountain mountains hills valley island islands ocean sea bay gulf coast desert forest peninsula county state province district region city town village
street road avenue boulevard lane square park bridge airport station harbour harbor beach falls canyon gallery center centre glacier strait channel heights straße strasse platz allee weg gasse tal see
insel berg gebirge republic kingdom emirates territory`)
)

// placed are the words that a place stands behind.
var placed = words(`in from near at to around across throughout outside inside toward towards via em na no nas nos en dans à aus nahe bei nach naar uit vicino`)

// said are the words that a person's name stands before, and speaker those that one stands behind.
var (
	said    = words(`said says wrote writes told tells asked asks explained explains argued added replied noted born died married disse escreveu dijo escribió dit écrit sagte schrieb disse scrisse`)
	speaker = words(`by author actor actress singer writer poet painter engineer scientist director founder ceo chairman editor artist architect`)
)

// plainWords begin sentences and are no names.
var plainWords = words(`the a an this that these those it its he she they we you i his her their our your my in on at by for from to of with without as and or but nor so yet if
when while where why how what who which whose whom there here then than though although because since until unless after before during between among about above below over under
is are was were be been being am do does did have has had can could will would shall should may might must not no yes all any some many much most more few each every both either
neither one two three four five six seven eight nine ten first second third last next new old also however therefore thus moreover meanwhile furthermore finally instead
please thanks thank dear hello hi hey let see read note click call contact visit open use make take get go come according despite based given like such only just even still
now today tomorrow yesterday once again never always often sometimes soon later everyone someone nobody nothing something everything
der die das ein eine und oder aber nicht ist sind war waren er sie es wir ihr ich mit von zu im am auf für bei nach aus über unter wenn wie was wer wo warum auch nur noch schon
le la les un une des et ou mais est sont il elle ils elles nous vous je dans pour par sur avec sans ce cette ces qui que quoi où quand comment
el los las una unos y o pero es son él ella ellos nosotros en por para con sin sobre este esta estos qué cuando como
os as um uma e ou mas é são ele ela eles nós no na nos nas em por para com sem este esta esse essa quando como
il lo gli uno ed ma è sono lui lei loro noi nel con senza questo questa quando come het een en of maar is zijn was hij zij wij ik met van voor`)

// firstNames are common ones, of many countries.
var firstNames = words(`aaron ada adam adrian agnes ahmed aisha alan albert alberto alejandro alessandro alex alexander alexandra alfred ali alice alicia alison amanda amelia amina amy ana
anders andrea andreas andrew andré angela angelina anita ann anna anne annie anthony antoine antonia antonio antónio anton ariana arnold arthur ashley astrid audrey barack barbara beatrice
beatriz ben benjamin bernard bernardo beth bill björn bob brian bruno camila camille carl carla carlos carmen carol caroline catherine cecilia charles charlotte chen chiara chloe
chris christian christina christine christoph christopher claire clara claudia claudio connor cristiano cristina daniel daniela david deborah dennis diana diego dirk dmitri dominic donald
dorothy duarte edith eduardo edward elena elias elizabeth ella ellen elon emil emilia emily emma emmanuel enrique eric erik ernest esther eva evelyn fatima federico felix fernanda
fernando filipe florian frances francesca francesco francis francisco franz frank fred frederick friedrich gabriel gabriela gabriele george georg gerald gerhard giacomo gianni giorgio giovanni
giulia giuseppe gonçalo grace graham gregory guido guillermo gustav gustavo hannah hans harold harry hassan heinrich heinz helen helena helga henri henrik henry herbert hugo
ian ibrahim ignacio igor ines inês ingrid irene isaac isabel isabella isabelle ivan jack jacob jacques jaime jake james jan jane janet jason javier jean jeff jennifer jens jeremy
jessica jill jim joan joana joanna joão joe johan johann johanna john jonas jonathan jorge josé josef joseph joshua joyce juan judith julia julian juliana julie julien jürgen justin
kai karen karin karl karl-heinz kate katharina katherine kathleen katrin keith kenneth kevin khalid kim klaus kristina kurt lara larry lars laura lauren laurent lea leila leo
leon leonard leonardo leonor lewis lin linda lisa linus lorenzo louis louise luc luca lucas lucia luciano lucy ludwig luigi luis luís luisa lukas luke magdalena manuel marc marcel marco marcos
margaret margarida maria marie marina mario mariana marion mark markus marta martha martin martina mary mateo matteo matthew matthias matthieu maurice max maya megan mehmet mei melissa michael
michel michelle miguel mike mikhail miriam mohamed mohammed monica monika muhammad nadia nancy natalia natalie natasha nathan nelson nicholas nick nicola nicolas nicole nikolai nina nora norbert
nuno olga oliver olivia omar oscar otto pablo paola paolo patricia patrick paul paula paulo pedro peter petra philip philipp philippe pierre pietro priya rachel rafael raj ralf ralph
ramón raúl raymond rebecca renate rené ricardo richard rita robert roberta roberto robin rodrigo roger roland rosa rose ruth ryan sabine salvador sam samantha samuel sandra sara
sarah sean sebastian sergei sergio sharon silvia simon simone sofia sonia sophia sophie stefan stefania stefano stephan stephanie stephen steve steven sue susan susana susanne sven sylvia
takeshi tanja tanya tatiana teresa theo theodor theresa thomas tiago tim timothy tina tom tomás tony ulrich ulrike ursula valentina vanessa vasco vera veronica victor victoria
viktor vincent virginia vladimir walter wei wendy werner wilhelm william winston wolfgang xavier yasmin yuki yuri yusuf yves zoe`)

// places are countries and large cities, in the languages of the texts.
var places = lines(`afghanistan,albania,algeria,andorra,angola,argentina,armenia,australia,austria,azerbaijan,bahamas,bahrain,bangladesh,barbados,belarus,belgium,belize,benin,bhutan,bolivia,
bosnia,botswana,brazil,brunei,bulgaria,burundi,cambodia,cameroon,canada,cape verde,chile,china,colombia,congo,costa rica,croatia,cuba,cyprus,czechia,czech republic,denmark,djibouti,
dominican republic,ecuador,egypt,el salvador,england,eritrea,estonia,ethiopia,fiji,finland,france,gabon,gambia,germany,ghana,greece,greenland,guatemala,guinea,guyana,haiti,honduras,
hungary,iceland,india,indonesia,iran,iraq,ireland,israel,italy,ivory coast,jamaica,japan,jordan,kazakhstan,kenya,kosovo,kuwait,kyrgyzstan,laos,latvia,lebanon,lesotho,liberia,libya,
liechtenstein,lithuania,luxembourg,madagascar,malawi,malaysia,maldives,mali,malta,mauritania,mauritius,mexico,moldova,monaco,mongolia,montenegro,morocco,mozambique,myanmar,namibia,nepal,
netherlands,the netherlands,new zealand,nicaragua,niger,nigeria,north korea,north macedonia,norway,oman,pakistan,palestine,panama,paraguay,peru,philippines,poland,portugal,qatar,romania,
russia,rwanda,saudi arabia,scotland,senegal,serbia,sierra leone,singapore,slovakia,slovenia,somalia,south africa,south korea,south sudan,spain,sri lanka,sudan,suriname,sweden,switzerland,
syria,taiwan,tajikistan,tanzania,thailand,togo,tunisia,turkey,türkiye,turkmenistan,uganda,ukraine,united arab emirates,united kingdom,united states,united states of america,uruguay,
uzbekistan,venezuela,vietnam,wales,yemen,zambia,zimbabwe,usa,uk,uae,europe,asia,africa,america,north america,south america,latin america,antarctica,oceania,middle east,scandinavia,
amsterdam,ankara,antwerp,athens,atlanta,auckland,austin,baghdad,bangalore,bangkok,barcelona,basel,beijing,beirut,belfast,belgrade,berlin,bern,bilbao,birmingham,bogotá,bogota,bologna,bonn,
bordeaux,boston,brasília,bratislava,bremen,brisbane,bristol,brussels,bucharest,budapest,buenos aires,cairo,calgary,cambridge,canberra,cape town,caracas,casablanca,chicago,cologne,
copenhagen,dallas,damascus,delhi,denver,detroit,dhaka,doha,dresden,dubai,dublin,düsseldorf,edinburgh,essen,florence,frankfurt,funchal,geneva,genoa,glasgow,hamburg,hannover,hanoi,
havana,heidelberg,helsinki,hong kong,houston,istanbul,jakarta,jerusalem,johannesburg,kabul,karachi,kiev,kyiv,kolkata,krakow,kuala lumpur,kyoto,lagos,las vegas,lausanne,leeds,leipzig,
lima,lisbon,liverpool,ljubljana,london,los angeles,lyon,madeira,madeira island,madrid,manchester,manila,marrakesh,marseille,melbourne,mexico city,miami,milan,minsk,montevideo,montreal,moscow,
mumbai,munich,nairobi,naples,new delhi,new york,new york city,nice,nuremberg,osaka,oslo,ottawa,oxford,palermo,palo alto,paris,philadelphia,phoenix,porto,porto santo,portland,prague,quebec,
quito,reykjavik,riga,rio de janeiro,rome,rotterdam,san diego,san francisco,san jose,santiago,são paulo,sao paulo,sarajevo,seattle,seoul,seville,shanghai,shenzhen,silicon valley,sofia,
stockholm,strasbourg,stuttgart,sydney,tallinn,tehran,tel aviv,the hague,tokyo,toronto,toulouse,tunis,turin,utrecht,valencia,vancouver,venice,vienna,vilnius,warsaw,washington,
washington dc,wellington,zagreb,zurich,zürich,alaska,arizona,california,colorado,connecticut,florida,hawaii,illinois,indiana,iowa,kansas,kentucky,louisiana,maryland,massachusetts,
michigan,minnesota,mississippi,missouri,montana,nebraska,nevada,new jersey,new mexico,north carolina,ohio,oklahoma,oregon,pennsylvania,south carolina,tennessee,texas,utah,vermont,virginia,
wisconsin,wyoming,bavaria,catalonia,tuscany,sicily,andalusia,algarve,azores,brittany,normandy,provence,alps,andes,himalayas,pyrenees,amazon river,nile,danube,rhine,thames,atlantic,
atlantic ocean,pacific ocean,mediterranean,mediterranean sea,black sea,
deutschland,österreich,schweiz,frankreich,italien,spanien,griechenland,türkei,russland,polen,tschechien,ungarn,niederlande,belgien,dänemark,schweden,norwegen,finnland,großbritannien,
vereinigtes königreich,vereinigte staaten,europa,asien,afrika,amerika,china,indien,brasilien,ägypten,münchen,köln,wien,zürich,genf,prag,warschau,moskau,rom,mailand,venedig,florenz,neapel,
lissabon,brüssel,kopenhagen,athen,nürnberg,bayern,sachsen,hessen,peking,tokio,
allemagne,autriche,suisse,espagne,italie,grèce,russie,pologne,pays-bas,belgique,royaume-uni,états-unis,angleterre,europe,asie,afrique,amérique,chine,inde,japon,brésil,égypte,maroc,
algérie,londres,bruxelles,genève,lisbonne,rome,moscou,vienne,varsovie,athènes,marseille,lille,nantes,bourgogne,bretagne,normandie,
españa,alemania,francia,italia,reino unido,estados unidos,inglaterra,europa,áfrica,américa,méxico,brasil,perú,japón,egipto,londres,parís,roma,lisboa,moscú,berlín,nueva york,sevilla,
cataluña,andalucía,bogotá,medellín,córdoba,
alemanha,frança,espanha,itália,inglaterra,suíça,áustria,reino unido,estados unidos,brasil,angola,moçambique,cabo verde,japão,egito,grécia,rússia,lisboa,coimbra,braga,faro,évora,aveiro,
sintra,açores,câmara de lobos,ribeira brava,machico,santana,calheta,ponta do sol,london,paris,londres,roma,madri,genebra,nova iorque,
germania,francia,spagna,svizzera,regno unito,stati uniti,inghilterra,grecia,roma,milano,torino,napoli,firenze,venezia,bologna,genova,sicilia,toscana,lombardia,londra,parigi,berlino,
nederland,duitsland,frankrijk,spanje,italië,belgië,zwitserland,engeland,den haag,parijs,londen,berlijn,brussel,antwerpen,
москва,россия,санкт-петербург,украина,киев,германия,франция,европа,лондон,париж,китай,япония,сша,
مصر,القاهرة,دبي,لندن,باريس,السعودية,الرياض,العراق,بغداد,سوريا,دمشق,لبنان,بيروت,المغرب,الجزائر,تونس,الأردن,فلسطين,القدس,קהיר,ישראל,ירושלים,
αθήνα,ελλάδα,θεσσαλονίκη,भारत,दिल्ली,मुंबई`)

// organizations are those that a name of one word is enough for.
var organizations = words(`NASA ESA UNESCO UNICEF NATO WHO WTO IMF OPEC OECD EU UN UNO FBI CIA NSA FDA EPA SEC BBC CNN NBC CBS ABC NPR IBM SAP BMW VW AMD HP MIT UCLA ETH CERN IEEE ISO
W3C IETF FIFA UEFA NBA NFL IOC Google Microsoft Apple Amazon Meta Facebook Instagram Twitter Netflix Tesla OpenAI Anthropic Cloudflare Nvidia NVIDIA Intel Oracle Cisco Samsung Sony Toyota
Honda Nissan Siemens Bosch Volkswagen Mercedes Daimler Porsche Audi Lufthansa Airbus Boeing Nestlé Novartis Roche Pfizer Moderna BioNTech Bayer BASF Shell BP Exxon Chevron Total
Walmart Ikea IKEA Adidas Nike Spotify Uber Airbnb PayPal Visa Mastercard Reuters Bloomberg Wikipedia YouTube LinkedIn GitHub GitLab Huawei Alibaba Tencent Baidu ByteDance Xiaomi
Lenovo Dell Nokia Ericsson Philips Unilever Heineken Santander Petrobras Galp Interpol Europol Greenpeace Amnesty Bundestag Bundesrat Kremlin Pentagon Congress Parliament ONU OTAN
OMS FMI UE ООН НАТО`)

// signNames are names of scripts without spaces.
var signNames = sync.OnceValue(func() map[string]Type {
	m := map[string]Type{}
	for kind, names := range map[Type]string{
		Location: `日本 東京 東京都 大阪 京都 北海道 名古屋 横浜 神戸 福岡 沖縄 中国 中國 北京 北京市 上海 上海市 广州 深圳 香港 台湾 台灣 台北 澳门 武汉 成都 重庆 西安 南京 杭州 美国 美國 英国 英國 法国 法國
德国 德國 俄罗斯 韩国 韓國 印度 欧洲 歐洲 亚洲 亞洲 非洲 巴黎 伦敦 倫敦 纽约 紐約 アメリカ イギリス フランス ドイツ ロシア インド ロンドン パリ ニューヨーク ヨーロッパ アジア マデイラ ポルトガル リスボン 葡萄牙 里斯本
한국 대한민국 서울 부산 일본 중국 미국 영국 프랑스 독일 도쿄 베이징 런던 파리`,
		Organization: `清华大学 清華大学 北京大学 東京大学 京都大学 トヨタ ソニー 任天堂 ホンダ 日産 三菱 华为 華為 阿里巴巴 腾讯 騰訊 百度 联合国 聯合国 国連 欧盟 歐盟 グーグル マイクロソフト アップル アマゾン 삼성 삼성전자 현대 구글`,
	} {
		for name := range strings.FieldsSeq(names) {
			m[name] = kind
		}
	}
	return m
})
