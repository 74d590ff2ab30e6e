// Names and shapes of the published checkpoints, written down from their description alone.
// SPDX-License-Identifier: Apache-2.0

/// A tensor of a published state dictionary.
struct PublishedTensor {
    var name: String
    var shape: [Int]
    /// `lvl_1L` alone is int64.
    var isInteger = false

    var count: Int { shape.reduce(1, *) }
    /// Bytes as published, float32 or int64.
    var byteCount: Int { count * (isInteger ? 8 : 4) }
}

/// The tables: independent of the models' own code, so that they can check it.
enum PublishedTensors {
    static let patchNums = [1, 2, 3, 4, 5, 6, 8, 10, 13, 16]
    static let patchNums512 = [1, 2, 3, 4, 6, 9, 13, 18, 24, 32]

    private static func pair(_ name: String, _ weight: [Int]) -> [PublishedTensor] {
        [
            .init(name: name + ".weight", shape: weight),
            .init(name: name + ".bias", shape: [weight[0]]),
        ]
    }

    // MARK: Tokenizer

    /// `vae_ch160v4096z32`: 324 tensors.
    static func tokenizer() -> [PublishedTensor] {
        let widths = [160, 160, 320, 320, 640]
        var list = pair("encoder.conv_in", [160, 3, 3, 3])
        var inputs = 160
        for (level, width) in widths.enumerated() {
            for block in 0..<2 {
                let name = "encoder.down.\(level)"
                list += residual("\(name).block.\(block)", inputs, width)
                if level == 4 { list += attention("\(name).attn.\(block)", width) }
                inputs = width
            }
            if level < 4 {
                list += pair("encoder.down.\(level).downsample.conv", [width, width, 3, 3])
            }
        }
        list += middle("encoder.mid")
        list += pair("encoder.norm_out", [640]) + pair("encoder.conv_out", [32, 640, 3, 3])
        list += pair("decoder.conv_in", [640, 32, 3, 3]) + middle("decoder.mid")
        inputs = 640
        for (level, width) in widths.enumerated().reversed() {
            for block in 0..<3 {
                let name = "decoder.up.\(level)"
                list += residual("\(name).block.\(block)", inputs, width)
                if level == 4 { list += attention("\(name).attn.\(block)", width) }
                inputs = width
            }
            if level > 0 {
                list += pair("decoder.up.\(level).upsample.conv", [width, width, 3, 3])
            }
        }
        list += pair("decoder.norm_out", [160]) + pair("decoder.conv_out", [3, 160, 3, 3])
        list.append(.init(name: "quantize.ema_vocab_hit_SV", shape: [10, 4096]))
        for phi in 0..<4 { list += pair("quantize.quant_resi.qresi_ls.\(phi)", [32, 32, 3, 3]) }
        list.append(.init(name: "quantize.embedding.weight", shape: [4096, 32]))
        list += pair("quant_conv", [32, 32, 3, 3]) + pair("post_quant_conv", [32, 32, 3, 3])
        return list
    }

    private static func residual(_ name: String, _ inputs: Int, _ outputs: Int) -> [PublishedTensor]
    {
        pair(name + ".norm1", [inputs]) + pair(name + ".conv1", [outputs, inputs, 3, 3])
            + pair(name + ".norm2", [outputs]) + pair(name + ".conv2", [outputs, outputs, 3, 3])
            + (inputs == outputs ? [] : pair(name + ".nin_shortcut", [outputs, inputs, 1, 1]))
    }

    private static func attention(_ name: String, _ width: Int) -> [PublishedTensor] {
        pair(name + ".norm", [width]) + pair(name + ".qkv", [3 * width, width, 1, 1])
            + pair(name + ".proj_out", [width, width, 1, 1])
    }

    private static func middle(_ name: String) -> [PublishedTensor] {
        residual(name + ".block_1", 640, 640) + attention(name + ".attn_1", 640)
            + residual(name + ".block_2", 640, 640)
    }

    // MARK: Transformers

    private static func block(_ name: String, _ heads: Int, sharedAdaLN: Bool) -> [PublishedTensor]
    {
        let c = 64 * heads
        let modulation =
            sharedAdaLN
            ? [PublishedTensor(name: name + ".ada_gss", shape: [1, 1, 6, c])]
            : pair(name + ".ada_lin.1", [6 * c, c])
        return [
            .init(name: name + ".attn.scale_mul_1H11", shape: [1, heads, 1, 1]),
            .init(name: name + ".attn.q_bias", shape: [c]),
            .init(name: name + ".attn.v_bias", shape: [c]),
            .init(name: name + ".attn.zero_k_bias", shape: [c]),
            .init(name: name + ".attn.mat_qkv.weight", shape: [3 * c, c]),
        ] + pair(name + ".attn.proj", [c, c]) + pair(name + ".ffn.fc1", [4 * c, c])
            + pair(name + ".ffn.fc2", [c, 4 * c]) + modulation
    }

    private static func embeddings(_ depth: Int, _ patchNums: [Int]) -> [PublishedTensor] {
        let c = 64 * depth
        let length = patchNums.reduce(0) { $0 + $1 * $1 }
        return [
            .init(name: "pos_start", shape: [1, 1, c]),
            .init(name: "pos_1LC", shape: [1, length, c]),
            .init(name: "lvl_1L", shape: [1, length], isInteger: true),
            .init(name: "attn_bias_for_masking", shape: [1, 1, length, length]),
            .init(name: "word_embed.weight", shape: [c, 32]),
            .init(name: "class_emb.weight", shape: [1001, c]),
            .init(name: "lvl_embed.weight", shape: [patchNums.count, c]),
        ]
    }

    /// VAR, and HMAR after its first phase, which has the same names.
    static func `var`(
        depth: Int, patchNums: [Int] = patchNums, sharedAdaLN: Bool = false
    ) -> [PublishedTensor] {
        let c = 64 * depth
        return embeddings(depth, patchNums)
            + [.init(name: "word_embed.bias", shape: [c])]
            + (sharedAdaLN ? pair("shared_ada_lin.1", [6 * c, c]) : [])
            + (0..<depth).flatMap { block("blocks.\($0)", depth, sharedAdaLN: sharedAdaLN) }
            + pair("head_nm.ada_lin.1", [2 * c, c]) + pair("head", [4096, c])
    }

    /// The assembled HMAR with n = 8.
    static func hmar(depth: Int) -> [PublishedTensor] {
        let c = 64 * depth
        func blocks(_ name: String, _ count: Int) -> [PublishedTensor] {
            (0..<count).flatMap { block("\(name).\($0)", depth, sharedAdaLN: false) }
        }
        func head(_ name: String) -> [PublishedTensor] {
            pair(name + "_nm.ada_lin.1", [2 * c, c]) + pair(name, [4096, c])
        }
        return embeddings(depth, patchNums)
            + [.init(name: "word_embed_bias", shape: [c])]
            + blocks("base_blocks", depth - 8) + blocks("ns_blocks", 8) + blocks("mask_blocks", 8)
            + head("ns_head") + head("mask_head")
            + [.init(name: "mask_embed.weight", shape: [1, c])]
    }
}
