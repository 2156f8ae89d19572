//! Check words: three of 64, in both languages, so that two screens of unlike languages can be compared.

/// One word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckWord {
    /// English.
    pub en: &'static str,
    /// Traditional Chinese.
    pub zh: &'static str,
}

/// Things everybody knows, of two characters, none near another in sound.
const WORDS: [(&str, &str); 64] = [
    ("hill", "青山"),
    ("ferry", "渡船"),
    ("rice", "白米"),
    ("bridge", "大橋"),
    ("lantern", "燈籠"),
    ("turtle", "烏龜"),
    ("mango", "芒果"),
    ("bicycle", "單車"),
    ("umbrella", "雨傘"),
    ("temple", "廟宇"),
    ("noodles", "麵條"),
    ("rooster", "公雞"),
    ("harbour", "港口"),
    ("bamboo", "竹子"),
    ("drum", "大鼓"),
    ("snow", "雪花"),
    ("butterfly", "蝴蝶"),
    ("kettle", "水壺"),
    ("rainbow", "彩虹"),
    ("ladder", "梯子"),
    ("pineapple", "鳳梨"),
    ("whale", "鯨魚"),
    ("pencil", "鉛筆"),
    ("volcano", "火山"),
    ("carpet", "地毯"),
    ("pigeon", "鴿子"),
    ("lotus", "荷花"),
    ("hammer", "鐵鎚"),
    ("peanut", "花生"),
    ("desert", "沙漠"),
    ("violin", "提琴"),
    ("tiger", "老虎"),
    ("window", "窗戶"),
    ("tea", "茶葉"),
    ("balloon", "氣球"),
    ("coral", "珊瑚"),
    ("shirt", "襯衫"),
    ("elephant", "大象"),
    ("candle", "蠟燭"),
    ("island", "小島"),
    ("tomato", "番茄"),
    ("train", "火車"),
    ("mirror", "鏡子"),
    ("squirrel", "松鼠"),
    ("pepper", "胡椒"),
    ("cloud", "雲朵"),
    ("guitar", "吉他"),
    ("banana", "香蕉"),
    ("lighthouse", "燈塔"),
    ("spoon", "湯匙"),
    ("camel", "駱駝"),
    ("forest", "森林"),
    ("clock", "時鐘"),
    ("shrimp", "蝦子"),
    ("chalk", "粉筆"),
    ("meadow", "草原"),
    ("rocket", "火箭"),
    ("onion", "洋蔥"),
    ("swallow", "燕子"),
    ("pillow", "枕頭"),
    ("moon", "月亮"),
    ("piano", "鋼琴"),
    ("pumpkin", "南瓜"),
    ("waterfall", "瀑布"),
];

/// Times the hash is hashed: who would stand between two screens must make theirs show the same, and finds that out slowly.
const ROUNDS: u32 = 1 << 20;

/// The three words of a hash.
#[must_use]
pub fn check_words(mut hash: [u8; 32]) -> [CheckWord; 3] {
    for _ in 0..ROUNDS {
        hash = *blake3::hash(&hash).as_bytes();
    }
    let [first, second, third, ..] = hash;
    [first, second, third].map(|byte| {
        let (en, zh) = WORDS[usize::from(byte) % WORDS.len()];
        CheckWord { en, zh }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_stands_twice() {
        for (place, (en, zh)) in WORDS.iter().enumerate() {
            assert!(WORDS[..place].iter().all(|(other_en, other_zh)| other_en != en && other_zh != zh), "{en} {zh}");
            assert_eq!(zh.chars().count(), 2, "{zh}");
        }
    }
}
