// Loading and saving class-pose autoencoders.
// SPDX-License-Identifier: Apache-2.0
import Core

extension InvariantEquivariantAutoencoder {
    private static let title = "a class-pose autoencoder (ssl-sym)"
    private static let firstBias = "encoder.block2.2.merging.submodule_1.log_bias"
    private static let secondBias = "encoder.block3.2.merging.submodule_1.log_bias"

    /// Loads an autoencoder by the published tensor names, with or without Θ.
    ///
    /// `model.` and `module.` before the names are taken off; tensors that are derived from others
    /// (sampled bases, expanded filters) are left aside; the vector biases that the published network
    /// lists twice are one parameter when both copies agree. Sizes are read from the tensors, pooling
    /// and disc mask from the metadata (absent: as published).
    /// - Throws: `CheckpointError`, ``ConfigurationError``.
    public convenience init(archive: TensorArchive) throws {
        let archive = archive.autoencoderScope()
        var tensors = archive.tensors()
        let configuration = try AutoencoderConfiguration(archive: archive, tensors: tensors)
        for prefix in ["", "theta_function."] {
            // In Θ the encoder's scope has another name.
            let names = [Self.firstBias, Self.secondBias].map {
                prefix.isEmpty ? $0 : prefix + $0.replacing("encoder.", with: "encoder_block.")
            }
            let shares =
                prefix.isEmpty
                ? configuration.encoder.sharesBias : configuration.theta?.sharesBias ?? false
            if shares { tensors[names[1]] = nil }
        }
        let store = ParameterStore(tensors: tensors)
        try self.init(configuration: configuration, store: store)
        try store.refuseMismatch(file: archive.path, model: Self.title) { name in
            name.hasSuffix(".filter") || name.contains("sampled_basis")
                || name.hasSuffix(".num_batches_tracked") || name.hasSuffix(".eps")
                || (configuration.theta == nil && name.hasPrefix("theta_function."))
        }
    }

    /// The tensors to store, the shared biases under both published names, and metadata.
    ///
    /// - Parameter values: other values than the present ones, by name.
    func exported(
        _ values: [String: Tensor] = [:]
    ) -> (tensors: [(name: String, tensor: Tensor)], metadata: [String: String]) {
        var tensors = parameters.map { ($0.name, values[$0.name] ?? $0.value) }
        for (prefix, sizes) in [
            ("encoder.", configuration.encoder),
            ("theta_function.encoder_block.", configuration.theta),
        ] as [(String, SteerableEncoderConfiguration?)] where sizes?.sharesBias == true {
            let (first, second) = (
                prefix + "block2.2.merging.submodule_1.log_bias",
                prefix + "block3.2.merging.submodule_1.log_bias"
            )
            if let bias = tensors.first(where: { $0.0 == first })?.1 {
                tensors.append((second, bias))
            }
        }
        var metadata = [
            "pooling": configuration.encoder.pooling.rawValue,
            "disc_mask": "\(configuration.encoder.hasDiscMask)",
        ]
        if let theta = configuration.theta {
            metadata["theta_pooling"] = theta.pooling.rawValue
            metadata["theta_disc_mask"] = "\(theta.hasDiscMask)"
            metadata["theta_output"] = configuration.thetaOutput.rawValue
        }
        return (tensors.map { (name: $0.0, tensor: $0.1) }, metadata)
    }
}

extension AutoencoderConfiguration {
    /// Reads the sizes off a checkpoint's tensors and metadata.
    fileprivate init(archive: TensorArchive, tensors: [String: Tensor]) throws {
        let model = "a class-pose autoencoder (ssl-sym)"
        func sizes(_ scope: String, _ prefix: String) throws -> SteerableEncoderConfiguration {
            let bias = scope + "block2.2.merging.submodule_1.log_bias"
            let h = try archive.requiredShape(bias, rank: 4, model: model)[1]
            let head = try archive.requiredShape(
                scope + "block_final.0.weights", rank: 1, model: model)[0]
            // The last layer has 2h weights per scalar and 2 h for its vector.
            guard head % (2 * h) == 0, head / (2 * h) > 1 else {
                throw CheckpointError.inconsistent(
                    file: archive.path, tensor: scope + "block_final.0.weights",
                    reason: "\(head) weights do not fit \(h) vector fields",
                    hint: "get the file again")
            }
            let pooling = archive.metadata[prefix + "pooling"].flatMap(
                EncoderPooling.init(rawValue:))
            let other = tensors[scope + "block3.2.merging.submodule_1.log_bias"]
            return SteerableEncoderConfiguration(
                hiddenWidth: h, embeddingWidth: head / (2 * h) - 1, pooling: pooling ?? .none,
                hasDiscMask: archive.metadata[prefix + "disc_mask"] == "true",
                sharesBias: other == nil || other?.floats() == tensors[bias]?.floats())
        }
        let width = try archive.requiredShape("decoder.block1.0.weight", rank: 4, model: model)[0]
        let hasTheta = archive["theta_function.encoder_block.block_final.0.weights"] != nil
        let outputs = archive["theta_function.fully_connected.4.weight"]?.shape.first
        self.init(
            encoder: try sizes("encoder.", ""), decoderWidth: width,
            theta: hasTheta ? try sizes("theta_function.encoder_block.", "theta_") : nil,
            thetaOutput: SymmetryLevelNetwork.Output.allCases.first { $0.count == outputs }
                ?? .level)
    }
}

extension TensorArchive {
    /// The tensors without a `model.` or `module.` before their names.
    fileprivate func autoencoderScope() -> TensorArchive {
        for prefix in ["module.", "model.", "module.model.", "model.module."]
        where records.contains(where: { $0.name.hasPrefix(prefix + "encoder.") }) {
            return scoped(to: prefix)
        }
        return self
    }
}
