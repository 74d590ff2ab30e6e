// Loading the tokenizer from a published or own checkpoint.
// SPDX-License-Identifier: Apache-2.0
import Core

extension VQVAE {
    /// Loads a tokenizer by its public tensor names; sizes are read from the tensors.
    ///
    /// - Parameters:
    ///   - archive: safetensors or `.pth`, also a training checkpoint with `trainer.vae_local`.
    ///   - patchNums: sides of the token maps; from the file's metadata when nil, and those of 256
    ///     pixels for the published sizes.
    ///   - imageSize: checked against sides and levels when given.
    /// - Throws: `CheckpointError`, ``ConfigurationError``.
    public convenience init(
        archive: TensorArchive, patchNums: [Int]? = nil, imageSize: Int? = nil
    ) throws {
        let archive = archive.tokenizerScope()
        let configuration = try VQVAEConfiguration(
            archive: archive, patchNums: patchNums, imageSize: imageSize)
        var tensors = archive.tensors()
        let usage = "quantize.ema_vocab_hit_SV"
        // The usage statistics belong to the maps trained with; the weights serve any maps.
        if tensors[usage]?.shape.first != configuration.scaleCount {
            tensors[usage] = Tensor.zeros([1, 1])
                .expanded(to: [configuration.scaleCount, configuration.vocabulary])
        }
        let store = ParameterStore(tensors: tensors)
        try self.init(configuration: configuration, store: store)
        try store.refuseMismatch(file: archive.path, model: CheckpointKind.tokenizer.title)
    }
}

extension VQVAEConfiguration {
    /// Reads the sizes off a checkpoint's tensors.
    ///
    /// - Throws: `CheckpointError`, ``ConfigurationError``.
    public init(archive: TensorArchive, patchNums: [Int]? = nil, imageSize: Int? = nil) throws {
        let model = CheckpointKind.tokenizer.title
        let kind = try CheckpointKind.infer(archive)
        guard kind == .tokenizer else {
            throw CheckpointError.wrongKind(
                file: archive.path, expected: model, found: kind.title,
                hint: "give the tokenizer's file")
        }
        let channels = try archive.requiredShape("encoder.conv_in.weight", rank: 4, model: model)[0]
        let levels = archive.childCount("encoder.down")
        guard levels > 0, levels <= 16 else {
            throw CheckpointError.inconsistent(
                file: archive.path, tensor: "encoder.down.*",
                reason: "there are \(levels) levels, 1 to 16 are possible",
                hint: "get the file again")
        }
        var multipliers: [Int] = []
        for level in 0..<levels {
            let name = "encoder.down.\(level).block.0.conv1.weight"
            let outputs = try archive.requiredShape(name, rank: 4, model: model)[0]
            guard outputs % channels == 0 else {
                throw CheckpointError.inconsistent(
                    file: archive.path, tensor: name,
                    reason: "it has \(outputs) channels, not a multiple of \(channels)",
                    hint: "get the file again")
            }
            multipliers.append(outputs / channels)
        }
        let codebook = try archive.requiredShape(
            "quantize.embedding.weight", rank: 2, model: model)
        var sides = patchNums ?? archive.storedPatchNums()
        if sides == nil, levels == 5,
            archive["quantize.ema_vocab_hit_SV"]?.shape.first == 10
        {
            sides = Self.published256.patchNums
        }
        guard let sides else {
            throw CheckpointError.notInferable(
                file: archive.path, what: "the sides of the token maps",
                hint: "give patch_nums, such as patch_nums=[1,2,3,4]")
        }
        self.init(
            channels: channels, channelMultipliers: multipliers,
            residualBlocks: max(1, archive.childCount("encoder.down.0.block")),
            latentChannels: codebook[1], vocabulary: codebook[0], patchNums: sides,
            phiCount: max(1, archive.childCount("quantize.quant_resi.qresi_ls")),
            // Tensors do not tell; published files have 32.
            normGroups: archive.metadata["norm_groups"].flatMap { Int($0) } ?? 32)
        try validate()
        if let imageSize, imageSize != self.imageSize {
            throw ConfigurationError.imageSizeMismatch(
                found: imageSize, expected: self.imageSize)
        }
    }
}
