"""How people say things in Spanish: words for the tables of `phrases`, `shapes` and `rules`.

Patterns as described in `smsbot.phrases`. Few type accents on a phone, so none is asked for; the
signs ¿ and ¡ are taken off before.
"""

_FILM = "(?:pel[ií]culas?|pelis?|films?)"
_MY = "(?:mis?|las?|nuestras?|esa|esta)"
_READY = "(?:lista|listo|listas|listos|disponible|descargada|lleg[oó]|ac[aá]|aqu[ií])"

# --- Commands ------------------------------------------------------------------------------------

STATUS = (
    "(?:el |mi )?estado(?: de (?:mis? |las? )?(?:" + _FILM + "|pedidos?|descargas?))?",
    rf"(?:d[oó]nde|c[oó]mo|en qu[eé]) (?:est[aá]n?|van?|quedaron|qued[oó]) {_MY} {_FILM}",
    rf"(?:ya )?(?:est[aá]n?|lleg[oó]|llegaron) (?:lista?s? )?{_MY} {_FILM}(?: lista?s?)?",
    rf"{_MY} {_FILM} (?:ya )?(?:est[aá]n?|lleg[oó]|llegaron)(?: lista?s?)?",
    r"(?:hay |alguna? )?(?:novedad(?:es)?|noticias?)",
    r"cu[aá]nto (?:falta|tarda|le falta)",
    rf"cu[aá]ndo (?:est[aá]n?|estar[aá]n?|llegan?|va a estar) (?:listas? )?{_MY} {_FILM}"
    "(?: listas?)?",
    r"qu[eé] (?:hay|viene|tengo) (?:en camino|pendiente|pedido)",
    r"qu[eé] pas[oó] con " + _MY + " " + _FILM,
)
HELP = (
    "ayuda", "comandos", "instrucciones", r"(?:qu[eé]|c[oó]mo) (?:puedes|sabes) hacer",
    r"c[oó]mo (?:funcionas?|se usa|te uso)(?: esto)?", r"qu[eé] es esto",
    r"qu[eé] puedo (?:hacer|pedir)",
)  # fmt: skip
NEVER_MIND = (
    r"olv[ií]da(?:lo|la|te)?(?: de (?:eso|ella))?", "no importa", r"d[eé]ja(?:lo|la)(?: as[ií])?",
    "ya no(?: importa| hace falta)?", "no hace falta", r"canc[eé]la(?:lo|la)",
)  # fmt: skip
CANCEL = (
    "(?:por favor )?(?:(?:puedes )?cancelar?|olvida(?:te)?(?: de)?|quitar?|borrar?|eliminar?)",
    r"ya no (?:quiero|queremos|necesito)(?: ver)?", r"no (?:quiero|queremos)(?: ver)?",
    r"no (?:bajes|descargues|pongas|consigas)",
    r"d[eé]ja de (?:buscar|bajar|descargar)",
)  # fmt: skip
CANCELLED_BEFORE = r"(?:(?:el pedido|la descarga) de |(?:la )?(?:pel[ií]cula|peli) )"
_TITLE = "(?P<title>.{1,80}?)"
STATUS_OF = (
    rf"cu[aá]ndo (?:est[aá]|estar[aá]|va a estar|llega|sale) (?:{_READY} )?{_TITLE}",
    rf"ya (?:est[aá]|lleg[oó]) (?:{_READY} )?{_TITLE}(?: {_READY})?",
    rf"est[aá] {_READY} {_TITLE}",
    rf"est[aá] {_TITLE} {_READY}",
    rf"(?:c[oó]mo va|qu[eé] pas[oó] con|qu[eé] hay de|por qu[eé] no (?:est[aá]|llega)) {_TITLE}",
    rf"d[oó]nde est[aá] {_TITLE}",
    rf"estado de {_TITLE}",
)

# --- Talk ----------------------------------------------------------------------------------------

SMALL_TALK = (
    r"(?:hola|holi|buenas|buen[oa]s? (?:d[ií]as?|tardes|noches)|adi[oó]s|chao|chau|nos vemos"
    r"|hasta (?:luego|ma[nñ]ana|pronto))(?: \w+){0,2}",
    r"(?:ok |no |muchas |mil |muy )?gracias\b.{0,40}",
    r"(?:te lo )?agradezco(?: mucho)?|de nada|con gusto|un abrazo|besos?|saludos",
    r"(?:s[ií]|no|claro|vale|dale|listo|bueno|bien|genial|perfecto|excelente|buen[ií]simo"
    r"|qu[eé] (?:bien|bueno|lindo|padre|chido|genial)|ja[ja]{2,40}|por favor|perd[oó]n|perdona"
    r"|lo siento|ya|despu[eé]s|luego|pronto|ahora|ma[nñ]ana|nunca|siempre|qu[eé]|qui[eé]n"
    r"|cu[aá]ndo|d[oó]nde|por qu[eé]|tal vez|quiz[aá]s?)"
    r"(?: (?:gracias|por favor|claro|s[ií]|no|se[nñ]or|bien))?",
    r"c[oó]mo (?:est[aá]s|andas|te va|van las cosas)\b.{0,30}",
    r"qu[eé] (?:tal|haces|onda|pasa|cuentas)\b.{0,30}",
    r"qui[eé]n (?:eres|es|habla)|d[oó]nde (?:est[aá]s|andas)\b.{0,30}",
    r"(?:te quiero|te amo|te extra[nñ]o)\b.{0,30}|feliz (?:cumplea[nñ]os|navidad|a[nñ]o)\b.{0,30}",
    r"(?:eso|esto|esta|ella) (?:es|est[aá]|estuvo|fue|suena) .{0,60}",
    r"(?:estoy|ya) (?:\w+)(?: \w+)?|voy en camino|ya llegu[eé]|ll[aá]mame(?: \w+)?",
)
TALK_WORDS = """
    hola gracias qué quién cuándo dónde cómo yo tú aquí allá ahora luego después mañana hoy vamos
    voy estoy eres soy perdón nunca siempre adiós
"""
THANKS = (
    "(?:(?:ok|bueno|genial|perfecto|no)[,.! ]+)?(?:muchas |mil )?gracias(?: (?:por todo|totales))?",
)
ACKNOWLEDGED = (
    "ok|vale|dale|listo|bueno|genial|perfecto|excelente|qu[eé] (?:bien|bueno)|ja[ja]{2,40}",
)
GREETINGS = (
    "hola", "buenas(?: tardes| noches)?", r"buenos d[ií]as", "oye", "por favor", "porfa(?:vor)?",
    r"s[ií]", "bueno", "ok", "vale", "dale", "gracias", r"tambi[eé]n", "y", "pero", "entonces",
    r"perd[oó]n", "perdona", "disculpa", "genial", "perfecto", "ahora", r"[¿¡]+", "mejor",
)  # fmt: skip

# --- What a phrase is about ----------------------------------------------------------------------

OTHER_MEDIA = (
    r"canci[oó]n(?:es)?", r"m[uú]sica", "discos?", r"[aá]lbum(?:es)?", "libros?", "novelas?",
    "videojuegos?", "juegos?", "restaurantes?", "recetas?", "fotos?", "vuelos?", "doctora?",
)  # fmt: skip
TV = (
    r"(?:la |una |las )?series?(?= \w)", r"temporadas?(?: \w+)?", r"cap[ií]tulos?(?: \w+)?",
    r"episodios?(?: \w+)?", "telenovelas?",
)  # fmt: skip
DESCRIPTION = (
    "dirigida por", "protagonizada por", "donde sale", "en la que", "con (?:el actor|la actriz)",
    r"algo (?:de|como|con|divertido|bueno|para)",
    rf"{_FILM} (?:con|sobre|como|en la que|donde|para)",
)  # fmt: skip
GENERIC = """
    el la los las un una unos unas algo alguna alguno otra otro de del para con y o
    película pelicula películas peliculas peli pelis cine comedia drama terror miedo acción accion
    aventuras aventura romántica romantica infantil animada animadas dibujos suspenso guerra
    buena bueno buenas mejor nueva nuevas vieja divertida divertido bonita graciosa
    ver hoy mañana noche ahora luego porfa favor gracias me te nos los niños todos familia
"""
A_KIND = ("algo", "alguna", "alguno", _FILM, "comedia", "drama", "terror", r"acci[oó]n")
OPENING = (
    "eso", "esto", "esta", "esa", "ese", "este", "algo", "alguna", "alguno", "que",
    "si", "cuando", "donde", "porque", "qu[eé]", "c[oó]mo", "a (?:mi|tu|la|los|las)", "saber",
    "dormir", "comer", "ir", "salir", "hablar", "hacer", "mucho", "unas?", "lo que", "nada",
    "m[aá]s",
)  # fmt: skip

# --- Wishes --------------------------------------------------------------------------------------

_GET = (
    "(?:buscar|descargar|bajar|poner|conseguir|a[nñ]adir|agregar|pedir|encontrar|ver|traer|mostrar)"
)
WISH = (
    "(?<!\\bno )(?:quiero|queremos|quisiera|quisi[eé]ramos|(?:me|nos) gustar[ií]a|necesito"
    rf"|necesitamos)(?: (?:volver a )?{_GET}(?:me|nos)?)?(?= )",
    rf"(?:tengo ganas de|tenemos ganas de|se me antoja|vamos a|podemos) {_GET}",
    rf"(?:me |nos )?(?:puedes|puede|podr[ií]as|podr[ií]a|podemos) (?:\w+ )?{_GET}(?:me|nos)?",
    "(?:me|nos) (?:consigues|bajas|descargas|pones|buscas|agregas|a[nñ]ades|encuentras|traes)",
    "(?:consigues|bajas|descargas|pones|buscas|agregas|a[nñ]ades)",
    "(?:tienes|tienen)",
    "(?:busco|buscamos|estoy buscando|estamos buscando|qu[eé] tal)",
)
ORDERS = (
    r"(?:descarga|baja|busca|pon|consigue|agrega|a[nñ]ade|trae|encuentra)(?:r|me|nos)?",
    r"(?:b[uú]sca|b[aá]ja|cons[ií]gue|desc[aá]rga|agr[eé]ga|tr[aá]e|encu[eé]ntra|p[oó]n)(?:me|nos)(?:la|las)?",
    "(?:dame|danos)",
)

# --- Around a title ------------------------------------------------------------------------------

LEAD_IN = (
    rf"(?:(?:la|una|esa|esta|las) )?{_FILM}"
    r"(?: (?:que se llama|llamada|titulada|de nombre))?(?= \w)",
    r"(?:me|nos|porfa(?:vor)?|por favor)(?= \w)",
    r"(?:una|la) que se llama",
    r"la de(?= [A-Z\d])",
)
COURTESY = (
    "por favor", "porfa(?:vor|s)?", "gracias", "muchas gracias",
    "si (?:puedes|se puede|no es molestia)", "cuando puedas", r"s[ií]", "plis",
)  # fmt: skip
_WHO = (
    "(?:m[ií]|nosotros|todos|(?:los|mis|las) (?:ni[nñ]os|ni[nñ]as|hijos|chicos|hijas)|la familia"
    "|mam[aá]|pap[aá]|la abuela|el abuelo)"
)
_WEEKDAY = "(?:lunes|martes|mi[eé]rcoles|jueves|viernes|s[aá]bado|domingo)"
TAIL = (
    rf"para {_WHO}(?: y {_WHO})?",
    r"(?:para )?(?:esta|hoy en la|ma[nñ]ana en la) (?:noche|tarde)",
    rf"(?:para |el )?(?:hoy|ma[nñ]ana|(?:este |el )?fin de semana|(?:el )?{_WEEKDAY})",
    r"(?:para )?(?:ahora|luego|despu[eé]s|m[aá]s tarde)", r"tambi[eé]n", "otra vez", "ya",
    r"en (?:espa[nñ]ol|ingl[eé]s|castellano|plex|netflix|casa|la tele|hd|4k)",
    r"(?:con|sin) subt[ií]tulos(?: en \w+)?", "subtitulada", "doblada",
)  # fmt: skip
CLAUSE = (
    r", ?(?:es|para|que|si|por|porque|pero|est[aá]|me|te|mi|gracias)\b",
    " con (?:los|las|mis?|la|unos|unas) ",
    " (?:que|porque|si (?:puedes|se puede|la)) (?:la|me|nos|est[aá]|quer|hay)",
)
YEAR_FORMS = (
    r",? (?:del|de|de la de) (?:a[nñ]o )?(?P<year>(?:18|19|20)\d\d)$",
    r"^(?:la )?(?:versi[oó]n )?(?:del?|de la) (?P<year>(?:18|19|20)\d\d) (?:de )?(?=\w)",
)
_NEW = r"(?:nueva|[uú]ltima|m[aá]s reciente|m[aá]s nueva)"
_OLD = r"(?:vieja|antigua|original|cl[aá]sica|primera)"
_OF = rf"(?:versi[oó]n |{_FILM} )?(?:de )?"
NEW = rf"(?:la |el )?{_NEW} {_OF}"
OLD = rf"(?:la |el )?(?:vieja|antigua|original|cl[aá]sica) {_OF}"
NEW_AFTER = rf"(?:pero )?la {_NEW}"
OLD_AFTER = r"(?:pero )?la (?:vieja|antigua|original|cl[aá]sica)"
ORDINALS = ("primera primer 1a", "segunda segundo 2a", "tercera tercer 3a", "cuarta cuarto 4a",
    "quinta quinto 5a", "sexta sexto 6a",
)  # fmt: skip
ORDINAL_OF = r"(?:parte |pel[ií]cula |peli )?de "
SEVERAL = (
    rf"(?:(?:las|ambas|todas las) (?:dos |tres |cuatro |cinco |seis )?(?:{_FILM} )?de|ambas|todas)"
)

# --- Answers to a question -----------------------------------------------------------------------

NO = (
    r"(?:no,? )?(?:no es )?ningun[oa](?: de (?:ell|es|est|l)as(?: dos| tres| cuatro)?)?"
    "(?:,? gracias)?",
    "no,? gracias",
)
YES = (
    "(?:s[ií]|claro|exacto|correcto|dale|vale|eso|as[ií] es)"
    "(?:,? (?:por favor|porfa|gracias|esa|ella|claro|es esa))?",
    r"(?:es )?(?:esa|esta)(?: misma)?",
)
FIRST_WORDS = (
    "la", "el", "las", r"n[uú]mero", r"opci[oó]n", "quiero", "prefiero", "mejor", "dame", "ponme",
    "es", r"s[ií]", "de", "del", "esa", "pon", "la de", r"la versi[oó]n",
)  # fmt: skip
LAST_WORDS = (
    "por favor", "porfa(?:vor)?", "gracias", r"opci[oó]n", r"pel[ií]cula", "peli", r"versi[oó]n",
    "esa", "est[aá] bien",
)  # fmt: skip
NUMBERS = {"uno": 1, "una": 1, "dos": 2, "tres": 3, "cuatro": 4}
OLDEST = (r"(?:m[aá]s )?(?:vieja|viejo|antigua|antiguo)", r"cl[aá]sica")
NEWEST = (r"(?:m[aá]s )?(?:nueva|nuevo|reciente)", "moderna")
LAST = ("última", "ultima", "último", "ultimo")
SAID_WITH_YEAR = """
    la el de del año ano versión version película pelicula peli quiero dame sí si por favor porfa
    gracias esa prefiero mejor
"""
NO_TITLE = (r"eso|esa|esta|ella|todo|todas?|(?:la|mi|las|mis) (?:pel[ií]culas?|pelis?)",)
ALL = ("(?:por favor )?(?:todas|ambas|las dos|las tres|todo)(?: por favor)?",)
NEITHER = ("(?:no,? )?ningun[oa](?: de (?:ell|es|est|l)as(?: dos)?)?",)
NOT_THAT = (
    "(?:no,? )?(?:esa no(?: es)?|no es esa|la otra)", "(?:no,? )?(?:quiero|quer[ií]a) la otra",
)  # fmt: skip

# --- Complaints ----------------------------------------------------------------------------------

_TITLE = r"(?P<title>.{1,80}?)"
_OF = rf"(?: (?:de|en|con) {_TITLE})?"
_PART = r"(?:sonido|audio|imagen|subt[ií]tulos|voz)"
WRONG_FILM = (
    r"(?:es |me (?:diste|mandaste|bajaste|trajiste) )?(?:la )?pel[ií]cula equivocada",
    r"(?:es|me (?:diste|mandaste|bajaste|trajiste)) otra pel[ií]cula",
    r"no es la pel[ií]cula que (?:quer[ií]a|ped[ií])",
)
BROKEN = (
    rf"(?:no tiene|est[aá] sin|sin|no hay) {_PART}{_OF}",
    rf"{_TITLE} (?:no tiene|est[aá] sin|sin) {_PART}",
    rf"no se (?:oye|escucha|ve)(?: (?:nada|bien))?{_OF}",
    rf"{_TITLE} no se (?:oye|escucha|ve)(?: (?:nada|bien))?",
    rf"{_TITLE} est[aá] (?:rota|da[ñn]ada|cortada|incompleta)",
    rf"{_TITLE} (?:no (?:funciona|se reproduce)|se (?:corta|traba|congela))",
    rf"los subt[ií]tulos{_OF} (?:est[aá]n mal|no (?:coinciden|est[aá]n|funcionan))",
)

# --- Preferences ---------------------------------------------------------------------------------

SETTINGS = (r"(?:mis |ver (?:mis )?)?(?:ajustes|preferencias|configuraci[oó]n)",)
PLAIN = (r"(?:sin|no m[aá]s|no quiero) emojis?", r"(?:mensajes|textos?) simples?")
RICH = (r"(?:con|m[aá]s|quiero) emojis?",)
FEWER = (
    r"(?:solo|s[oó]lo|solamente|nada m[aá]s) cuando (?:est[eé]n? )?(?:listas?|listos?)",
    r"av[ií]same solo cuando est[eé] lista", "menos mensajes",
)  # fmt: skip
ALL_TEXTS = (r"(?:quiero )?todos (?:los|tus) (?:mensajes|avisos)", "todos los textos")
CALLED = "(?:me llamo|mi nombre es|soy|ll[aá]mame)"
NAME = (r"(?:mi )?nombre ?: ?(\S.*)",)
LANGUAGE = (
    r"(?:en |habla(?:me)? (?:en )?|escr[ií]beme en |h[aá]blame en )(\w+)(?: por favor| porfa)?",
)
