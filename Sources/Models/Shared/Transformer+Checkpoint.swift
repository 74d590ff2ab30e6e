// Reading transformer sizes off published checkpoints.
// SPDX-License-Identifier: Apache-2.0
import Core

extension TransformerConfiguration {
    /// Reads the sizes off a checkpoint's tensors.
    ///
    /// Heads are told by `scale_mul_1H11`, maps by the run lengths of `lvl_1L` (or the file's
    /// metadata where it is missing).
    /// - Parameters:
    ///   - archive: the transformer's own scope.
    ///   - kind: any but the tokenizer.
    ///   - patchNums: for files without `lvl_1L`.
    /// - Throws: `CheckpointError`, ``ConfigurationError``.
    public init(
        archive: TensorArchive, kind: CheckpointKind, patchNums: [Int]? = nil
    ) throws {
        let isAssembled = kind == .hmar
        let model = kind.title
        let maskDepth = isAssembled ? archive.childCount("mask_blocks") : 0
        let depth =
            isAssembled
            ? archive.childCount("base_blocks") + archive.childCount("ns_blocks")
            : archive.childCount("blocks")
        let firstBlock =
            isAssembled
            ? (archive.childCount("base_blocks") > 0 ? "base_blocks.0" : "ns_blocks.0") : "blocks.0"
        let word = try archive.requiredShape("word_embed.weight", rank: 2, model: model)
        let classes = try archive.requiredShape("class_emb.weight", rank: 2, model: model)
        let heads = try archive.requiredShape(
            firstBlock + ".attn.scale_mul_1H11", rank: 4, model: model)
        let head = try archive.requiredShape(
            isAssembled ? "ns_head.weight" : "head.weight", rank: 2, model: model)
        let stored = try Self.storedLevels(archive)
        guard let sides = stored ?? patchNums ?? archive.storedPatchNums() else {
            throw CheckpointError.notInferable(
                file: archive.path, what: "the sides of the token maps (there is no lvl_1L)",
                hint: "give patch_nums, such as patch_nums=[1,2,3,4]")
        }
        if let patchNums, patchNums != sides {
            throw CheckpointError.inconsistent(
                file: archive.path, tensor: "lvl_1L",
                reason: "it says patch_nums \(sides), asked for are \(patchNums)",
                hint: "leave patch_nums out or use another file")
        }
        self.init(
            depth: depth, width: word[0], heads: heads[1], classCount: classes[0] - 1,
            vocabulary: head[0], latentChannels: word[1], patchNums: sides,
            maskDepth: isAssembled ? maskDepth : min(8, depth),
            usesSharedAdaLN: archive["shared_ada_lin.1.weight"] != nil)
        try validate()
    }

    /// Sides told by `lvl_1L` [1, L]: runs of 0, 1, 2, … of square lengths.
    private static func storedLevels(_ archive: TensorArchive) throws -> [Int]? {
        guard let record = archive["lvl_1L"] else { return nil }
        func refuse(_ reason: String) -> CheckpointError {
            .inconsistent(
                file: archive.path, tensor: "lvl_1L", reason: reason, hint: "get the file again")
        }
        guard record.shape.count == 2, record.shape[0] == 1, record.count > 0,
            record.dtype == .int64 || record.dtype == .int32
        else { throw refuse("it is \(record.shape) \(record.dtype), not [1, L] of integers") }
        let tensor = Tensor(record: record)
        let levels =
            record.dtype == .int64
            ? tensor.cast(to: .float32).floats().map { Int32($0) }
            : tensor.int32s()
        var runs: [Int] = []
        for level in levels {
            if Int(level) == runs.count {
                runs.append(1)
            } else if Int(level) == runs.count - 1 {
                runs[runs.count - 1] += 1
            } else {
                throw refuse("scale \(level) follows scale \(runs.count - 1)")
            }
        }
        return try runs.map { run in
            let side = Int(Double(run).squareRoot().rounded())
            guard side * side == run else { throw refuse("a scale has \(run) tokens, no square") }
            return side
        }
    }
}

extension SequenceBuffers {
    /// Adds the buffers that small files leave out; checks the mask where it is.
    ///
    /// - Throws: `CheckpointError.inconsistent`.
    static func complete(
        _ tensors: inout [String: Tensor], archive: TensorArchive,
        configuration: TransformerConfiguration, attention: ScaleAttention
    ) throws {
        if tensors["lvl_1L"] == nil { tensors["lvl_1L"] = levels(configuration) }
        let length = configuration.tokenCount
        guard let found = tensors["attn_bias_for_masking"] else {
            // Never used, so it takes no memory; an export writes it anew.
            tensors["attn_bias_for_masking"] = Tensor.zeros([1, 1, 1, 1])
                .expanded(to: [1, 1, length, length])
            return
        }
        if found.shape == [1, 1, length, length] {
            try check(archive, configuration: configuration, attention: attention)
        }
    }

    /// Refuses a mask that is not the one of the model.
    static func check(
        _ archive: TensorArchive, configuration: TransformerConfiguration,
        attention: ScaleAttention
    ) throws {
        guard let record = archive["attn_bias_for_masking"] else { return }
        let found = Tensor(record: record).floats()
        let length = configuration.tokenCount
        // Implementations write −∞ or a large negative number for "hidden".
        let agrees = found.withUnsafeBufferPointer { values in
            var position = 0
            for (count, seen) in intervals(configuration, attention) {
                for _ in 0..<count {
                    for column in 0..<length {
                        if (values[position] < -1) == seen.contains(column) { return false }
                        position += 1
                    }
                }
            }
            return true
        }
        guard agrees else {
            throw CheckpointError.inconsistent(
                file: archive.path, tensor: "attn_bias_for_masking",
                reason: "it is not \(attention == .blockCausal ? "block-causal" : "block-diagonal")"
                    + " for patch_nums \(configuration.patchNums)",
                hint: "this file is of another kind of model or damaged")
        }
    }
}
