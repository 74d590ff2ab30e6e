// Assembling HMAR from its two phases.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Renames the tensors of both phases into those of one HMAR.
///
/// Base blocks, next-scale blocks and head, word embedding and all other embeddings come from
/// phase 1; mask blocks, mask head and mask embedding from phase 2.
public enum HMARAssembly {
    /// The assembled tensors under their public names.
    ///
    /// - Parameters:
    ///   - nextScale: the phase-1 network.
    ///   - masked: the phase-2 network of the same sizes.
    ///   - averages: values to use instead of the phase-2 network's own, by phase-2 name.
    ///   - maskDepth: blocks that exist twice, n.
    public static func tensors(
        nextScale: NextScaleTransformer, masked: NextScaleTransformer,
        averages: [String: Tensor] = [:], maskDepth: Int
    ) -> [(name: String, tensor: Tensor)] {
        let base = nextScale.configuration.depth - maskDepth
        var result: [(name: String, tensor: Tensor)] = []
        for parameter in nextScale.parameters {
            result.append((nextScaleName(parameter.name, base: base), parameter.value))
        }
        for parameter in masked.parameters {
            guard let name = maskedName(parameter.name, base: base) else { continue }
            result.append((name, averages[parameter.name] ?? parameter.value))
        }
        let buffers = nextScale.buffers.merging(
            SequenceBuffers.exported(nextScale.configuration, .blockDiagonal)
        ) { _, written in written }
        for (name, value) in buffers.sorted(by: { $0.key < $1.key }) {
            result.append((nextScaleName(name, base: base), value))
            if let name = maskedName(name, base: base) { result.append((name, value)) }
        }
        return result
    }

    private static func nextScaleName(_ name: String, base: Int) -> String {
        if let (index, rest) = block(name) {
            return index < base
                ? "base_blocks.\(index).\(rest)" : "ns_blocks.\(index - base).\(rest)"
        }
        if name == "word_embed.bias" { return "word_embed_bias" }
        return name.hasPrefix("head") ? "ns_" + name : name
    }

    /// The name of what phase 2 contributes; nil for what it left as it was.
    private static func maskedName(_ name: String, base: Int) -> String? {
        if let (index, rest) = block(name) {
            return index < base ? nil : "mask_blocks.\(index - base).\(rest)"
        }
        if name == "mask_embed.weight" { return name }
        return name.hasPrefix("head") ? "mask_" + name : nil
    }

    /// `blocks.3.ffn.fc1.bias` → (3, "ffn.fc1.bias").
    private static func block(_ name: String) -> (Int, String)? {
        let parts = name.split(separator: ".", maxSplits: 2)
        guard parts.count == 3, parts[0] == "blocks", let index = Int(parts[1]) else { return nil }
        return (index, String(parts[2]))
    }
}
