// SPDX-License-Identifier: Apache-2.0
#include "review/split.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::review {
namespace {

// A character and its left and right halves, where both halves are characters that people type.
constexpr std::u32string_view kHalves =
    U"张弓长 胡古月 章立早 吴口天 李木子 林木木 杨木易 何人可 他人也 你人尔 们人门 体人本 作人乍 "
    U"住人主 佳人圭 "
    U"信人言 位人立 使人吏 但人旦 伯人白 代人弋 化人匕 仁人二 休人木 伟人韦 好女子 妈女马 如女口 "
    U"她女也 妇女彐 "
    U"姓女生 始女台 娘女良 奶女乃 妙女少 姐女且 妹女未 嫖女票 妓女支 娼女昌 奸女干 婚女昏 吃口乞 "
    U"吗口马 叫口丩 "
    U"唱口昌 呼口乎 味口未 啊口阿 和禾口 吧口巴 呢口尼 咬口交 吸口及 吹口欠 喝口曷 听口斤 吐口土 "
    U"明日月 时日寸 "
    U"晴日青 映日央 昨日乍 晚日免 暗日音 期其月 朋月月 胜月生 肚月土 股月殳 肥月巴 脏月庄 胎月台 "
    U"脱月兑 腿月退 "
    U"法氵去 江氵工 河氵可 海氵每 泪氵目 洗氵先 活氵舌 流氵㐬 湖氵胡 油氵由 泽氵睪 淫氵㸒 清氵青 "
    U"波氵皮 没氵殳 "
    U"政正攵 放方攵 故古攵 教孝攵 敌舌攵 轮车仑 轻车圣 轨车九 转车专 软车欠 轰车双 功工力 动云力 "
    U"助且力 劲圣力 "
    U"加力口 励厉力 赌贝者 贩贝反 财贝才 购贝勾 贿贝有 赔贝咅 贱贝戋 败贝攵 赂贝各 毒主母 枪木仓 "
    U"杀乂木 桃木兆 "
    U"村木寸 校木交 机木几 权木又 枝木支 相木目 样木羊 标木示 松木公 柏木白 板木反 构木勾 炸火乍 "
    U"炮火包 烟火因 "
    U"灯火丁 烧火尧 灿火山 炒火少 烂火兰 爆火暴 独犭虫 狗犭句 猫犭苗 狱犭言犬 猪犭者 球王求 现王见 "
    U"理王里 玩王元 "
    U"珠王朱 班王刂王 对又寸 欢又欠 观又见 鸡又鸟 邓又阝 艳丰色 双又又 难又隹 叙余又 取耳又 职耳只 "
    U"联耳关 聊耳卯 "
    U"请讠青 说讠兑 话讠舌 语讠吾 谈讠炎 记讠己 讲讠井 识讠只 诈讠乍 骗马扁 驱马区 驶马史 骂口口马 "
    U"群君羊 钱钅戋 "
    U"铁钅失 银钅艮 钢钅冈 针钅十 钟钅中 铜钅同 销钅肖 锁钅巛 打扌丁 找扌戈 把扌巴 抢扌仓 抗扌亢 "
    U"报扌及 押扌甲 "
    U"拉扌立 拍扌白 招扌召 抽扌由 持扌寺 推扌隹 投扌殳 折扌斤 批扌比 拐扌另 拆扌斥 性忄生 情忄青 "
    U"怕忄白 快忄夬 "
    U"恨忄艮 惊忄京 怪忄圣 忙忄亡 恒忄亘 粉米分 精米青 粮米良 糊米胡 种禾中 秋禾火 私禾厶 科禾斗 "
    U"税禾兑 秘禾必 "
    U"租禾且 组纟且 线纟戋 红纟工 纪纟己 约纟勺 级纟及 细纟田 绝纟色 给纟合 经纟圣 织纟只 结纟吉 "
    U"缘纟彖 统纟充 "
    U"神礻申 社礻土 祖礻且 礼礻乚 福礻畐 视礻见 初衤刀 裸衤果 袜衤末 被衤皮 站立占 端立耑 竭立曷 "
    U"划戈刂 刘文刂 "
    U"刑开刂 列歹刂 别另刂 到至刂 刷尸巾刂 利禾刂 判半刂 削肖刂 剁朵刂 郑关阝 部咅阝 都者阝 那㇆阝 "
    U"邪牙阝 郎良阝 "
    U"阿阝可 阳阝日 阴阝月 防阝方 队阝人 院阝完 除阝余 陈阝东 陆阝击 随阝有 颜彦页 领令页 顶丁页 "
    U"项工页 顾厄页 "
    U"预予页 颗果页 题是页 额客页 频步页 歌哥欠 欲谷欠 歇曷欠 款士示欠 外夕卜 多夕夕 够句多 夥果多 "
    U"孩子亥 孙子小 "
    U"孔子乚 孤子瓜 学小子 弱弓弓 强弓虽 弹弓单 引弓丨 弟丷弓 野里予 量旦里 重千里 舒舍予 辞舌辛 "
    U"乱舌乚 甜舌甘 "
    U"敢耳攵 数娄攵 散昔攵 敏每攵 救求攵 效交攵 致至攵 收丩攵 改己攵 牧牛攵 物牛勿 特牛寺 牲牛生 "
    U"牺牛西 性忄生 "
    U"蛇虫它 蚁虫义 虾虫下 蛋疋虫 蚊虫文 蝇虫黾 路足各 跑足包 跳足兆 踢足易 跟足艮 距足巨 践足戋 "
    U"鸭甲鸟 鸣口鸟 ";

std::u32string_view halves_of(char32_t character) noexcept {
    // Each group ends with a space and begins with the whole.
    std::size_t at = 0;
    while (at < kHalves.size()) {
        const std::size_t end = kHalves.find(U' ', at);
        if (kHalves[at] == character) {
            return kHalves.substr(at + 1, end - at - 1);
        }
        at = end + 1;
    }
    return {};
}

}  // namespace

std::vector<std::u32string> split_variants(std::u32string_view phrase) {
    std::vector<std::u32string> variants{{}};
    for (const char32_t character : phrase) {
        const std::u32string_view halves = halves_of(character);
        const std::size_t before = variants.size();
        if (!halves.empty() && 2 * before <= kSplitVariantsMax + 1) {
            for (std::size_t i = 0; i < before; ++i) {
                variants.push_back(variants[i] + std::u32string(halves));
            }
        }
        for (std::size_t i = 0; i < before; ++i) {
            variants[i].push_back(character);
        }
    }
    std::erase(variants, phrase);
    return variants;
}

}  // namespace colophon::review
