package safety

// concept is what a word means to the rules, whatever its language.
type concept uint8

// The concepts.
const (
	cIgnore    concept = iota // not to follow
	cPrevious                 // what was said before
	cRules                    // instructions, rules, guidelines
	cYour                     // of the model
	cSystem                   // the system's own words: system prompt, hidden instructions
	cTell                     // to reveal, repeat, print
	cWhat                     // what is, what are
	cSecret                   // password, secret key
	cFree                     // without restrictions
	cRole                     // you are now, act as
	cMode                     // developer mode, override
	cPersona                  // names that jailbreaks give
	cAuthority                // I am your developer, I am God
	cNew                      // new instructions, your real task
	cHarm                     // what guidelines are about
	cStory                    // hypothetically, in a world where
	cModel                    // AI, assistant, chatbot
	cSafety                   // safety guidelines, content policy, ethics
	cBreak                    // bypass, disable, evade
	cAbove                    // everything above, the text before
	cTold                     // you were given, you were told
	cDocument                 // the page, the document, the email
	cAddress                  // dear assistant, note to the AI
	cState                    // state the following, say exactly, respond only with
	cSend                     // send to, forward, exfiltrate
	cHush                     // do not tell the user
	cPwned                    // what is to be said as a proof
	cObey                     // you must obey, comply
	cSplit                    // combine the parts
	cMark                     // marks of a chat's turns: [INST], <|im_start|>
	cAll                      // all, everything
	cAbout                    // words of those who write about attacks
	cMine                     // what the speaker said before
	cHow                      // how does, what happens when, can I
	concepts
)

// lexicon is the words of the concepts. A star stands for any ending, _ for a space; words are as normalise writes them. Scripts without spaces
// are looked up at each sign.
var lexicon = [concepts]string{
	cIgnore: `ignor* disregard* forget overlook overrid* overrul* supersed* dismiss discard neglect skip unlearn nullify void
		do_not_follow don't_follow dont_follow stop_following do_not_obey don't_obey stop_obeying pay_no_attention set_aside throw_away do_not_listen no_longer_follow
		no_longer_apply never_mind abandon cancel revoke reset erase
		ignorier* vergiss* vergesst vergessen_sie missacht* missachte ubergeh* verwirf verwerf* befolge_nicht
		oublie oubliez ignorez neglige* fais_abstraction faites_abstraction ne_tiens_pas_compte ne_tenez_pas_compte ne_suis_pas ne_suivez_pas
		ignora* olvida* olvide* omite omita haz_caso_omiso haga_caso_omiso no_sigas descarta pasa_por_alto
		ignore esqueca* esquece desconsider* descarte nao_siga
		dimentica* trascura* tralascia* non_seguire non_tenere_conto scorda* lascia_perdere
		negeer vergeet
		zignoruj* ignoruj* zapomnij* pomin* lekcewaz*
		игнориру* проигнориру* забудь* забыть не_обращай* отмени* ігноруй* забудьте
		yoksay* yok_say* goz_ardi* gormezden* unut unutun dikkate_alma* onemseme*
		تجاهل* تجاهلي انس انسي اهمل*
		अनदेखा* नज़रअंदाज* नजरअंदाज* भूल_जा* भूलें भूल उपेक्षा*
		উপেক্ষা* ভুলে অগ্রাহ্য*
		忽略 无视 無視 忘记 忘記 忽视 不要理会 忘掉 抛开 不用管
		無視 忘れ 無効に
		무시* 잊어* 잊으* 잊고
		bo_qua quen_di phot_lo hay_quen lo_di
		abaikan lupakan mengabaikan
		huwag_pansinin balewalain kalimutan huwag_sundin
		เพิกเฉย ลืม ไม่ต้องสนใจ ละเว้น ไม่สนใจ`,
	cPrevious: `previous* prior preceding above earlier foregoing existing former initial original past before_this before_now so_far hitherto
		up_to_now until_now given_before predecessor
		vorherig* vorig* vorangegang* bisherig* obig* fruher* vorhergehend* zuvor
		precedent* anterieur* ci-dessus initiale* d'avant
		anterior* previ* de_arriba
		acima
		precedent* sopra iniziali
		vorige eerdere bovenstaand* voorgaand*
		poprzedni* wczesniejsz* powyzsz*
		предыдущ* прежн* выше* ранее попередн*
		onceki yukaridaki evvelki daha_once
		السابق* سابق* اعلاه المذكوره_اعلاه
		पिछले पिछली पिछला पूर्व उपरोक्त पहले_के पहले_दिए
		পূর্ববর্তী আগের উপরের
		之前 以上 先前 上面 以前 前面 上述 此前
		以前 前の これまで 上記 先の 今までの
		이전* 앞의 앞선 위의 지금까지
		truoc_do truoc_day o_tren phia_tren
		sebelumnya di_atas terdahulu
		nakaraang naunang mga_nauna nauna
		ก่อนหน้า ข้างต้น ที่ผ่านมา`,
	cRules: `instruction* rule rules directive* guideline* command commands order orders prompt prompts constraint* restriction* polic* programming training
		directions limitation* safeguard* guardrail* protocol protocols commandment*
		anweisung* regel regeln vorgabe* richtlinie* befehl* instruktion* aufforderung*
		consigne* regle* directive* ordre*
		instruccion* regla* orden ordenes directric* indicacion*
		instruc* regra* diretriz* ordem ordens orientac*
		istruzion* regol* direttiv* comandi ordini
		instructie* regels opdracht*
		instrukcj* polecen* zasad* regul*
		инструкц* указани* правил* команд* інструкц*
		talimat* kural* komut* yonerge* yonlendirme*
		التعليمات تعليمات* الاوامر اوامر القواعد الارشادات ارشادات
		निर्देश* नियम* आदेश* अनुदेश*
		নির্দেশ* নিয়ম* আদেশ*
		指令 指示 规则 規則 说明 說明 命令 提示
		指示 命令 ルール プロンプト
		지시* 지침* 명령* 규칙*
		huong_dan chi_dan lenh quy_tac chi_thi
		instruksi* perintah* aturan* petunjuk*
		tagubilin* utos instruksyon* panuto alituntunin
		คำสั่ง คำแนะนำ กฎ`,
	cYour: `your yours you've ur
		dein deine deinen deiner deinem ihre ihren
		tes ton votre vos
		tus tu sus
		seu seus sua suas teu teus
		tuo tua tuoi tue
		je_eigen jouw uw
		twoj* twoje
		твой твои твоих твоя твое твоего ваш* твій твої
		senin sizin
		الخاص_بك الخاصه_بك لديك
		आपका आपके आपकी तुम्हारा तुम्हारे तुम्हारी अपना अपनी अपने
		আপনার তোমার
		你的 您的 あなたの 당신의 너의 네
		cua_ban anda kamu iyong mo ของคุณ`,
	cSystem: `system_prompt* systemprompt* system-prompt* system_message* system_instruction* system_directive* initial_prompt* initial_instruction* initial_message
		hidden_prompt* hidden_instruction* hidden_rule* developer_message* developer_instruction* developer_prompt original_prompt* original_instruction*
		pre-prompt preprompt meta_prompt metaprompt base_prompt secret_instruction* secret_prompt internal_instruction* internal_prompt* internal_guideline* internal_rule* custom_instruction*
		confidential_instruction* confidential_prompt context_window core_instruction* underlying_prompt starting_prompt starting_instruction* setup_prompt first_prompt system_text system_configuration
		systemanweisung* systemnachricht* system_anweisung*
		prompt_systeme message_systeme instructions_systeme instructions_initiales invite_systeme instructions_cachees prompt_initial
		prompt_del_sistema prompt_de_sistema mensaje_del_sistema mensaje_de_sistema instrucciones_del_sistema instrucciones_iniciales instrucciones_ocultas prompt_inicial
		prompt_do_sistema prompt_de_sistema instrucoes_do_sistema mensagem_do_sistema instrucoes_iniciais
		prompt_di_sistema istruzioni_di_sistema messaggio_di_sistema istruzioni_iniziali istruzioni_nascoste
		systeemprompt systeeminstructie*
		системный_промпт системного_промпта системные_инструкции системных_инструкций системные системный_запрос
		sistem_istemi* sistem_talimat* sistem_komut* sistem_mesaj*
		موجه_النظام تعليمات_النظام رساله_النظام
		सिस्टम_प्रॉम्प्ट* सिस्टम_निर्देश*
		系统提示 系统指令 系統提示 提示词 初始指令 系统消息
		システムプロンプト 初期指示 システムメッセージ
		시스템_프롬프트* 시스템_지시*
		loi_nhac_he_thong prompt_sistem perintah_sistem
		พรอมต์ระบบ พรอมป์ระบบ ข้อความระบบ คำสั่งระบบ คำสั่งของระบบ системное_сообщение системного_сообщения исходный_промпт исходные_инструкции начальные_инструкции начальный_промпт скрытые_инструкции`,
	cTell: `reveal* show print repeat output tell give display share disclos* leak expose recite dump echo spell paste copy quote provide return write_out send_me
		summarize summarise summary translate encode describe list hand_over divulge unveil spill
		zeig* zeige verrat* verrate nenne gib druck* wiederhol* sag_mir teile offenbar* preisgeben
		montre* affiche* revele* repete* donne* dis-moi dites-moi imprime* divulgue* partage* pouvez-vous_me_dire
		muestra* revela* repite* repita dime dame imprime comparte* di_me escribe* divulga* dar_a_conocer
		mostre* mostra revele repita diga* me_diga imprima compartilh* exiba* me_de
		mostra* rivela* ripeti* dimmi stampa* condividi* condividere dammi
		toon laat_zien vertel herhaal geef
		pokaz* ujawn* powtorz* podaj* wypisz* powiedz
		покажи* раскрой* повтори* скажи* выведи* напиши* сообщи* назови поделит* поделис*
		goster* acikla* tekrarla* soyle* yazdir* paylas* ver bana_soyle
		اظهر* اكشف* كرر* اخبرني قل* اعرض* شارك* مشاركه اطبع* هل_يمكنك_مشاركه
		दिखा* बता* दोहरा* प्रकट* साझा* प्रिंट*
		দেখা* বল* শেয়ার* প্রকাশ* জানা*
		告诉 告訴 显示 顯示 透露 输出 輸出 重复 重複 打印 泄露 分享 揭示 说出
		教えて 表示 出力 繰り返 明かし 共有 言って 示して
		알려* 보여* 말해* 출력* 공유* 공개* 반복*
		cho_toi_biet hien_thi tiet_lo chia_se lap_lai noi_cho in_ra cho_biet
		beritahu* tunjukkan tampilkan ungkapkan ulangi bagikan berikan sebutkan
		sabihin ipakita ibahagi ulitin ibigay ibunyag
		บอก แสดง เปิดเผย แชร์ พิมพ์ ทำซ้ำ`,
	cWhat: `what_is_the what_is_your what's_the what's_your what_are_the what_are_your what_was_the what_was_your what_were_the what_were_your whats_the whats_your what_would_your what_would_the could_you_tell can_you_tell can_i_have may_i_have do_you_know i_need_the
		i_need_your i_need_to_know need_to_know
		was_ist_das was_ist_dein was_ist_der wie_lautet was_sind_dein*
		quel_est_le quel_est_ton quel_est_votre quelle_est_la quelle_est_ta quels_sont quelles_sont_tes quelles_sont_vos
		cual_es_la cual_es_tu cual_es_el cuales_son_tus
		qual_e_la qual_e_a qual_e_sua qual_e_il qual_e_o qual_e_tua qual_a_senha quais_sao_suas quali_sono_le_tue
		wat_is_het wat_is_je jakie_jest_haslo
		какой_пароль какой_у_тебя каков_пароль какие_у_тебя
		nedir ne_dir neydi
		ما_هي ما_هو ماهي
		क्या_है क्या_हैं
		কী কি
		什么 什麼 是啥 是多少
		何ですか 何です なんですか 何でしょう
		무엇* 뭐* 뭔가요
		la_gi apa_kata apa_sandi apa_itu_kata ano_ang คืออะไร อะไร`,
	cSecret: `password* passphrase* passcode* secret_key* secret_code* secret_word* secret_phrase* api_key* access_code* confidential_string* credential* secret_string* security_code*
		private_key* secret_password hidden_word launch_code* unlock_code* secret_value secret_number secret_token
		passwort* kennwort* geheimwort* geheimschlussel* geheime_schlussel geheimen_schlussel geheimcode*
		mot_de_passe mots_de_passe cle_secrete code_secret phrase_secrete
		contrasena* clave_secreta codigo_secreto palabra_secreta frase_secreta
		senha* chave_secreta codigo_secreto palavra-passe
		chiave_segreta codice_segreto parola_segreta frase_segreta parola_d'ordine
		wachtwoord* geheime_sleutel
		haslo hasla tajny_klucz
		пароль* пароля секретный_ключ* секретного_ключ* кодовое_слово кодовую_фразу кодовая_фраза секретный_код парольн*
		sifre* parola parolan* gizli_anahtar* gizli_kod*
		كلمه_المرور كلمه_السر المفتاح_السري رمز_المرور جمله_المرور كلمه_مرور
		पासवर्ड* गुप्त_कुंजी गुप्त_कोड पासकोड गुप्त_शब्द पासफ्रेज*
		পাসওয়ার্ড* গোপন_কী গোপন_কোড পাসফ্রেজ*
		密码 密碼 密钥 密鑰 口令 暗号 秘钥
		パスワード 合言葉 秘密の鍵 秘密鍵 パスフレーズ 秘密のキー
		비밀번호* 암호* 비밀_키* 비밀키* 패스워드*
		mat_khau* khoa_bi_mat cum_mat_khau
		kata_sandi* kunci_rahasia sandi
		lihim_na_susi lihim_na_code
		รหัสผ่าน กุญแจลับ รหัสลับ`,
	cFree: `unrestricted uncensored unfiltered no_restriction* no_limitation* no_rules no_filter* no_content_polic* no_ethical no_ethics no_guideline* no_moral* no_safety no_constraint*
		without_restriction* without_any_restriction* without_filter* without_any_filter* without_censor* without_limitation* without_limits without_any_limit* without_ethical without_any_rules without_rules without_safety
		without_guideline* without_moral* zero_restriction* broken_free break_free_of break_free_from free_from_all freed_from no_longer_bound not_bound_by not_limited_by unbound_by jailbroken do_anything_now
		never_refuse* cannot_refuse can't_refuse never_say_no never_decline* regardless_of_ethic* regardless_of_leg* regardless_of_moral* regardless_of_safety no_boundaries any_request
		no_content_restriction* not_subject_to unshackled unchained amoral anything_i_ask everything_i_ask no_matter_what no_matter_how
		ohne_einschrankung* ohne_jede_einschrankung unzensiert* uneingeschrankt* keine_regeln keine_einschrankung* ohne_filter ohne_regeln keinen_regeln
		sans_restriction* sans_limite* sans_filtre* sans_censure non_censure aucune_restriction aucune_regle aucune_limite
		sin_restriccion* sin_limite* sin_filtro* sin_censura sin_reglas ninguna_restriccion
		sem_restric* sem_limite* sem_filtro* sem_censura sem_regras nenhuma_restricao
		senza_restrizion* senza_limit* senza_filtr* senza_censur* senza_regole nessuna_restrizione
		zonder_beperking* bez_ograniczen*
		без_ограничен* без_цензур* без_фильтр* без_правил нет_ограничен*
		kisitlama_olmadan sinirsiz sansursuz kuralsiz
		没有限制 不受限制 无限制 没有任何限制 不受任何 没有规则 毫无限制
		制限なし 制限のない 無制限 制限なく
		제한_없* 제한이_없* 무제한
		بدون_قيود بلا_قيود دون_قيود
		बिना_किसी_प्रतिबंध* बिना_किसी_रोक* कोई_प्रतिबंध_नहीं
		khong_gioi_han khong_bi_gioi_han tanpa_batasan walang_limitasyon ไม่มีข้อจำกัด
		никаких_правил никаких_ограничений sin_ninguna_restriccion sin_filtros libre_de_restricciones sin_ninguna_regla ไม่มีกฎ ไร้ข้อจำกัด ไม่มีการกรอง ไม่ถูกจำกัด ไม่มีขีดจำกัด`,
	cRole: `you_are_now you're_now you_are_no_longer you_are_a you_are_an you_are act_as act_like pretend_to_be pretend_you pretend_that_you pretend_to_have roleplay_as role_play_as play_the_role from_now_on
		imagine_you assume_the_role take_on_the_role you_will_be you_will_act simulate behave_as respond_as answer_as your_name_is become you_will_now going_to_act immerse_yourself you_shall_be henceforth
		enter_the_role roleplay
		du_bist ab_jetzt ab_sofort tu_so_als stell_dir_vor spiele_die_rolle verhalte_dich
		tu_es vous_etes a_partir_de_maintenant desormais fais_semblant agis_comme joue_le_role
		ahora_eres eres a_partir_de_ahora desde_ahora actua_como finge_ser finge_que haz_de_cuenta
		voce_agora voce_e a_partir_de_agora aja_como finja
		ora_sei sei d'ora_in_poi da_ora_in_poi da_adesso comportati_come fingi_di agisci_come
		je_bent_nu vanaf_nu jestes_teraz od_teraz
		теперь_ты ты_теперь отныне с_этого_момента представь притворись
		artik_sen artik bundan_boyle su_andan_itibaren gibi_davran
		你现在是 从现在开始 现在你是 从现在起 扮演 假装 你是
		今から これから あなたは今 ふりをして なりきって
		지금부터 이제부터 이제_너는 당신은_이제
		من_الان انت_الان تظاهر تصرف_ك*
		अब_से अब_आप आप_अब
		tu_bay_gio tu_gio mulai_sekarang mula_ngayon ตั้งแต่ตอนนี้
		ты_больше_не действуй_как веди_себя_как сыграй_роль играй_роль ya_no_eres comportate_como haz_el_papel interpreta_el_papel แกล้งทำเป็น สวมบทบาท ทำตัวเป็น คุณคือ จากนี้ไป`,
	cMode: `developer_mode debug_mode god_mode admin_mode administrator_mode maintenance_mode sudo_mode dev_mode root_access admin_access system_mode dan_mode jailbreak_mode unrestricted_mode override_mode
		system_override admin_override safety_override emergency_override override_code opposite_mode diagnostic_mode superuser god-mode sudo unlocked_mode override_protocol test_mode_enabled debugging_mode
		override_accepted access_granted safety_off training_mode freedom_mode evil_mode
		entwicklermodus entwickler-modus mode_developpeur modo_desarrollador modo_de_desarrollador modo_desenvolvedor modalita_sviluppatore режим_разработчика режим_бога
		gelistirici_modu 开发者模式 開發者模式 开发者模式 开发模式 開発者モード 개발자_모드 وضع_المطور डेवलपर_मोड modo_dios che_do_nha_phat_trien mode_pengembang
		オーバーライドモード режим_без_ограничений режим_dan modo_sin_restricciones modo_dan โหมดนักพัฒนา โหมดไม่จำกัด`,
	cPersona: `dan stan dude evilbot antigpt betterdan do_anything_now strive_to_avoid_norms evil_bot evil_ai evil_assistant rogue_ai unfiltered_ai freegpt darkgpt wormgpt fraudgpt basedgpt chaosgpt`,
	cAuthority: `i_am_your_developer i'm_your_developer i_am_your_creator i'm_your_creator i_am_your_admin* i'm_your_admin* your_new_administrator your_new_admin i_am_the_developer i_am_the_admin* i'm_the_admin* i_am_an_admin* i'm_an_admin* i_am_god i'm_god
		i_am_your_owner i_am_your_master i_am_your_god i_am_the_system as_your_developer as_your_creator as_your_admin* as_an_administrator as_the_administrator as_the_developer as_an_openai openai_engineer openai_staff anthropic_staff i_am_authorized i'm_authorized
		i_have_admin i_am_from_openai i_work_for_openai this_is_your_developer i_am_the_owner i_am_a_system_administrator i_am_the_creator i_am_a_developer_at your_programmer i_created_you i_am_an_authorized i_am_authorised authorized_by_openai
		i_am_a_police i'm_a_police i_am_the_ceo i'm_the_ceo with_root_privileges
		ich_bin_gott ich_bin_dein* ich_bin_der_administrator* ich_bin_der_entwickler ich_bin_der_admin
		je_suis_dieu je_suis_ton je_suis_votre je_suis_l'administrateur je_suis_le_developpeur je_suis_l'admin
		soy_dios yo_soy_dios soy_tu soy_el_administrador soy_el_desarrollador soy_el_admin
		sou_deus eu_sou_deus sou_o_administrador eu_sou_o_administrador sou_seu_desenvolvedor sou_o_desenvolvedor
		sono_dio io_sono_dio sono_l'amministratore sono_il_tuo sono_lo_sviluppatore
		я_бог я_твой я_администратор я_ваш я_разработчик
		ben_tanri* ben_tanriyim ben_allah* ben_yonetici* ben_gelistirici*
		我是上帝 我是管理员 我是開發 我是开发 我是你的
		私は神 私は管理者 私は開発者 私があなたの
		나는_신 나는_하나님 나는_관리자 저는_관리자 나는_신이다 저는_신
		toi_la_chua toi_la_thuong_de toi_la_than toi_la_quan_tri
		saya_adalah_tuhan saya_tuhan aku_adalah_tuhan saya_adalah_admin* saya_admin
		انا_الله انا_الرب انا_المسؤول انا_الاله انا_اله انا_المدير
		मैं_भगवान मैं_ईश्वर मैं_परमेश्वर मैं_व्यवस्थापक मैं_एडमिन
		আমি_ঈশ্বর আমি_ভগবান আমি_আল্লাহ আমি_প্রশাসক
		ako_ang_diyos ako_si_god ako_ang_admin* ฉันคือพระเจ้า ฉันเป็นพระเจ้า ผมคือพระเจ้า
		как_твой_разработчик я_из_openai ฉันคือผู้ดูแลระบบ ผมคือผู้ดูแลระบบ ฉันเป็นผู้ดูแลระบบ ผมเป็นผู้ดูแลระบบ ฉันคือผู้พัฒนา ผมคือผู้พัฒนา ผู้สร้างของคุณ`,
	cNew: `new_instruction* new_task new_rule* new_directive* real_task actual_task new_objective updated_instruction* new_goal new_role new_identity new_persona new_orders new_command* new_system_prompt new_prompt
		my_instruction* my_rules my_commands my_orders follow_only only_follow follow_my my_command
		neue_anweisung* neue_regeln neue_aufgabe nouvelles_instructions nouvelle_tache nouvelles_regles nuevas_instrucciones nueva_tarea nuevas_reglas novas_instrucoes nova_tarefa novas_regras
		nuove_istruzioni nuovo_compito nuove_regole новые_инструкции новая_задача новые_правила yeni_talimat* yeni_gorev* 新指令 新的指令 新任务 新的任务 新しい指示 新しいタスク 새로운_지시* 새_지시* التعليمات_الجديده تعليمات_جديده नए_निर्देश* नया_काम
		huong_dan_moi instruksi_baru
		новая_инструкция nueva_instruccion กฎใหม่`,
	cHarm: `bomb bombs explosive* malware ransomware pick_a_lock lock_picking hotwire meth methamphetamine napalm nerve_agent poison poisons phishing hack_into keylogger weapon weapons hate_speech illegal illegally illicit harmful dangerous
		launder forge counterfeit steal shoplift molotov virus exploit_code ddos cocaine fentanyl kill murder suicide`,
	cStory: `hypothetic* in_a_fictional fictional_story fictional_world in_a_world_where imagine_a_world parallel_world parallel_universe for_a_story for_academic academic_purposes research_purposes educational_purposes purely_academic
		thought_experiment for_a_novel in_a_movie if_you_were_allowed if_you_could if_there_were_no if_you_had_no in_a_hypothetical in_a_dream in_this_game let's_play_a_game alternate_universe alternate_reality for_a_screenplay
		hypothetisch* in_einer_welt hypothetique* dans_un_monde hipotetic* en_un_mundo em_um_mundo num_mundo ipotetic* in_un_mondo гипотетическ* в_мире_где farazi varsayimsal 假设 假如 想象一下 平行世界 仮に 架空 仮定 가상* 가정* افتراضي* काल्पनिक* কাল্পনিক* কল্পনা* gia_dinh gia_su hipotetis hipotesis สมมติ`,
	cModel: `ai a.i. chatbot assistant chatgpt gpt gpt-4 language_model llm llms bot claude gemini model ki assistent modelo modele modello ассистент языковая_модель asistan yapay_zeka 人工智能 助手 アシスタント 인공지능
		ปัญญาประดิษฐ์ เอไอ`,
	cSafety: `safety_guideline* safety_rule* safety_filter* safety_feature* safety_polic* safety_protocol* safety_measure* safety_mechanism* safety_training content_polic* content_filter* content_restriction* content_moderation ethical_guideline* ethical_consideration* moral_guideline* usage_polic* openai_polic* ethical_rule* safety_constraint*
		safety_restriction* safety_instruction* alignment moderation safety_check* safety_system* safeguard* guardrail* your_limitation* your_restriction* your_filter* your_training your_programming your_constraint* your_safety your_ethic* sicherheitsrichtlinie* sicherheitsregel* regles_de_securite normas_de_seguridad reglas_de_seguridad diretrizes_de_seguranca
		regole_di_sicurezza linee_guida directrices_de_seguridad consignes_de_securite
		правила_безопасности правил_безопасности фильтры_безопасности фильтр_безопасности ограничения_безопасности filtros_de_seguridad filtro_de_seguridad politicas_de_contenido politica_de_contenido ตัวกรองความปลอดภัย มาตรการความปลอดภัย`,
	cBreak: `bypass* circumvent* disabl* evad* turn_off turned_off deactivat* switch_off remove* lift suspend* break violat* get_around work_around defeat* jailbreak* ignor* override* overrid* forget disregard* without avoid* lifted
		umgeh* deaktivier* abschalt* contourne* desactive* désactive* desactiva* evita* elude* burla* contorne* disattiva* aggira* обойди* отключи* обход* 绕过 关闭 解除 回避 무력화
		ปิดการใช้งาน ข้าม หลบเลี่ยง`,
	cMine: `my_previous my_last my_earlier my_first my_prior my_old meine_letzte meine_vorige mon_dernier ma_derniere mi_ultimo mi_ultima minha_ultima meu_ultimo il_mio_ultimo`,
	cAbove: `everything_above all_above text_above above_this_line the_text_above words_above all_of_the_above everything_before everything_prior all_the_text_before conversation_so_far start_of_this_conversation
		beginning_of_this_conversation start_of_the_conversation beginning_of_the_conversation start_of_our_conversation beginning_of_our_conversation first_message first_line previous_message everything_up_to above_message above_text above_verbatim the_above content_above conversation_history entire_conversation
		alles_daruber alles_oben obigen_text tout_ce_qui_precede texte_ci-dessus todo_lo_anterior texto_anterior tudo_acima texto_acima tutto_quanto_sopra testo_sopra всё_выше все_выше текст_выше 以上内容 上面的内容 以上の内容 上記の内容 위의_내용
		все_предыдущее всё_предыдущее всё_что_выше все_что_выше todo_lo_de_arriba ทุกอย่างข้างต้น`,
	cTold: `you_were_given you_were_told told_you given_to_you you_have_been_given you've_been_given you_have_been_told you_received you_started_with you_were_provided you_are_given you_operate you_must_follow you_were_programmed you_were_instructed you've_been_told you_have_received
		they_told_you programmed_you instructed_you dir_gegeben du_bekommen on_t'a_donne t'ont_ete_donnees te_dieron te_han_dado lhe_foram_dad* ti_sono_state ti_hanno_dato тебе_дали
		тебе_сказали тебе_велели te_dijeron te_han_dicho te_indicaron ที่คุณได้รับ`,
	cDocument: `webpage web_page website article email e-mail resume cv document documents pdf paragraph passage attachment transcript spreadsheet
		webseite artikel lebenslauf dokument page_web courriel documento pagina_web correo curriculo articolo documento документ страниц* резюме стать* belge makale web_sayfasi ozgecmis 网页 文章 文档 简历 邮件 ウェブページ 記事 文書 履歴書 웹페이지 기사 문서 이력서 صفحه_الويب المقال المستند السيره वेबपेज लेख दस्तावेज रिज्यूमे ওয়েবপেজ নিবন্ধ trang_web bai_viet halaman_web artikel`,
	cAddress: `dear_ai dear_assistant note_to_ai note_to_the_ai note_to_llm* attention_ai attention_assistant if_you_are_an_ai if_you_are_an_llm if_you_are_a_language ai_assistants_must ai_assistants_should to_the_ai_reading when_summarizing_this
		when_processing_this message_to_ai instructions_for_ai instruction_for_ai ai_instruction* ai_model_reading hey_ai hey_assistant for_ai_agents for_ai_only llm_instruction* ai_system_reading attention_language_model ai_agents_must when_an_ai ai_reviewer* hidden_inject* hidden_text hidden_instruction injected_instruction`,
	cState: `state_the_following state: say_the_following say_exactly respond_only respond_with_only reply_only reply_with_only answer_only output_only say_only respond_with reply_with state_that say_that print_the_following write_the_following output_the_following output_the_word output_the_phrase repeat_after_me must_say
		and_nothing_else nothing_else just_say simply_say start_your_response begin_your_response start_your_reply begin_with_the complete_this_sentence complete_the_sentence fill_in_the_blank finish_this_sentence end_your_response append_the
		sage_folgendes gib_folgendes_aus dites_ce_qui_suit indiquez_ce_qui_suit affirmez declarez declare dis_ce_qui_suit diga_lo_siguiente di_lo_siguiente declare_o_seguinte diga_o_seguinte afferma_quanto_segue di'_quanto_segue dichiara_quanto_segue скажите_следующее укажите_следующее заявите asagidakileri_belirtin sunu_soyle asagidakini 说以下 陈述以下 次のように述べ 次のことを述べ 다음을_말 다음과_같이 اذكر_ما_يلي قل_ما_يلي निम्नलिखित_बताएं निम्नलिखित नিম্নলিখিত নিম্নলিখিতটি hay_noi neu_ro nyatakan sabihin_ang_sumusunod
		скажи_только скажите_только отвечай_только ответь_только ответьте_только скажи_что скажите_что укажите_что и_ничего_больше di_solo di_que responde_solo responde_unicamente indica_que y_nada_mas indiquez_que dites_que dis_que sag_dass sage_dass antworte_nur diga_que responda_apenas di_che rispondi_solo oldugunu_soyle oldugunu_belirt ตอบว่า พูดว่า ตอบแค่`,
	cSend: `exfiltrate* send_it_to send_them_to send_the_user* send_user* send_all forward_all forward_the forward_this_email forward_every post_the upload_the send_the_conversation send_this_conversation email_the_contents make_a_request_to fetch_the_url send_their transmit* sende_alle envoie_toutes envia_todos envie_todos invia_tutti отправь_все`,
	cHush: `do_not_tell_the_user don't_tell_the_user do_not_mention_this do_not_inform don't_inform without_telling_the_user without_informing do_not_reveal_this do_not_let_the_user silently secretly do_not_alert without_the_user_knowing without_mentioning never_mention_this
		sag_dem_nutzer_nicht ne_dis_pas_a_l'utilisateur no_le_digas_al_usuario nao_conte_ao_usuario non_dirlo_all'utente не_говори_пользователю
		не_сообщай_пользователю sin_decirle_al_usuario อย่าบอกผู้ใช้`,
	cPwned: `pwned hacked haxored i_have_been_pwned i_admit_to compromised i_have_no_restrictions no_safety_restrictions account_has_been jailbroken developer_mode_enabled follow_this_link click_this_link click_here reset_your_password gift_card`,
	cObey: `must_obey must_comply obey comply must_listen must_follow you_must_answer have_to_answer have_to_obey you_must_do must_do_as do_as_i_say do_what_i_say you_have_to_tell must_tell must_answer required_to gehorch* obeis obedece* obedeca obbedisci подчиняйся must_respond have_to_listen you_must_always
		повинуйся слушайся ты_обязан debes_obedecer tienes_que_obedecer debes_responder เชื่อฟัง ต้องทำตาม ต้องตอบ`,
	cSplit: `combine concatenate join_the put_together merge append_part part_1 part_2 part_one part_two part_a part_b a_is b_is c_is is_a_= interleave kombiniere combina combiner combinez combine_as объедини birlestir* 结合 组合 組み合わせ 결합 합치 ket_hop gabungkan जोड़* মিলিয়ে`,
	cMark:  `<|im_start|> <|im_end|> <|system|> <|user|> <|assistant|> <|endoftext|> [inst] [/inst] <<sys>> <</sys>> <system> </system> [system] [system]: ###_system ###_instruction* ###_new_instruction* system: [[system]] begin_system_prompt end_of_prompt [end_of_input] --end-- <system_prompt> {{system}} #system <admin> [admin] [developer]`,
	cAll:   `all everything every any each entire alle alles tous toutes todo todas todos todas tutto tutti tutte все всё tum butun 所有 一切 全部 すべて 全ての 모든 كل جميع सभी सब সব সমস্ত tat_ca semua lahat ทั้งหมด`,
	cAbout: `prompt_injection* jailbreaking jailbreak_attack* injection_attack* attack attacks attacker* detect* prevent* defend* defense* defence* mitigat* vulnerab* owasp red_team* security_researcher* paper papers phrase phrases example_of examples_of called term refers means meaning definition classif* dataset*
		blog lecture course teach students filter catch miss recogni* phrases prompts_like sentences_such explain_what explain_why explain_the article_about sanitize sanitise validat*`,
	cHow: `कैसे बदलने बदलें nasil degistir* как_сменить как_изменить как_поменять どうすれば 変更 어떻게 바꾸 如何 怎么 怎麼 كيف لحسابي lam_sao bagaimana paano อย่างไร zurucksetz* andern reinitialiser changer restablecer cambiar redefinir alterar reimpostare cambiare
		reset change recover rotate hash manager forgot policy strong
		how_do how_does how_can how_to how_should what_happens why_does why_do why_is is_it_safe can_i could_i should_i may_i when_should does_the do_i wie_kann wie_funktioniert was_passiert darf_ich comment_puis comment_faire como_puedo como_posso come_posso`,
}
