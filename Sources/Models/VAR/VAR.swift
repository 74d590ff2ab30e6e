// Visual auto-regressive modelling: the baseline that HMAR is compared with.
// SPDX-License-Identifier: Apache-2.0
import Core

/// VAR: every token map is predicted in one pass from all coarser maps, by block-causal attention.
///
/// Source: Tian et al., "Visual autoregressive modeling", arXiv 2404.02905. Checkpoint keys: those
/// of ``NextScaleTransformer``.
public final class VAR: Sendable {
    public let network: NextScaleTransformer

    /// Wraps a network.
    ///
    /// - Precondition: the network's attention is block-causal.
    public init(_ network: NextScaleTransformer) {
        precondition(network.attention == .blockCausal, "VAR attends block-causally")
        self.network = network
    }

    /// Builds the network from the tensors of a store, or from its initializers.
    ///
    /// - Throws: ``ConfigurationError``.
    public convenience init(
        configuration: TransformerConfiguration, store: ParameterStore,
        gammaInitialScale: Float = 1e-3
    ) throws {
        self.init(
            try NextScaleTransformer(
                configuration: configuration, attention: .blockCausal, store: store,
                gammaInitialScale: gammaInitialScale))
    }

    public var configuration: TransformerConfiguration { network.configuration }
}
