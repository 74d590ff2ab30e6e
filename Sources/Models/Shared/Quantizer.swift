// The multi-scale residual quantizer.
// SPDX-License-Identifier: Apache-2.0
import Core

/// One codebook for all scales, and the convolutions that repair what upsampling loses.
///
/// Source: VAR (arXiv 2404.02905), algorithms 1 and 2. Checkpoint keys: `quantize.embedding.weight`
/// [V, Z], `quantize.quant_resi.qresi_ls.i.{weight,bias}`, `quantize.ema_vocab_hit_SV` [K, V].
public struct Quantizer: Sendable {
    /// Sides, codebook size and channels.
    public let configuration: VQVAEConfiguration
    /// The codebook E, [V, Z].
    public let codebook: Parameter
    private let phi: [Convolution2D]
    private let phiIndex: [Int]

    init(_ scope: ParameterScope, configuration: VQVAEConfiguration) {
        self.configuration = configuration
        let (vocabulary, latent) = (configuration.vocabulary, configuration.latentChannels)
        let usageShape = [configuration.scaleCount, vocabulary]
        _ = scope.buffer("ema_vocab_hit_SV", shape: usageShape) { .zeros(usageShape) }
        phi = (0..<configuration.phiCount).map {
            Convolution2D(
                scope["quant_resi"]["qresi_ls"]["\($0)"], inputs: latent, outputs: latent, kernel: 3
            )
        }
        codebook = scope.parameter(
            "embedding.weight", shape: [vocabulary, latent],
            initializer: .uniform(bound: 1 / Float(vocabulary)))
        phiIndex = PhiTable.indices(
            scaleCount: configuration.scaleCount, phiCount: configuration.phiCount)
    }

    // MARK: One scale

    /// phi_k(h) = ½h + ½conv(h), [B, Z, P, P].
    func phi(_ h: Tensor, scale: Int) -> Tensor { (h + phi[phiIndex[scale]](h)) * 0.5 }

    /// Makes phi_k(h) = h for every scale.
    func startPhiAsIdentity() {
        let width = configuration.latentChannels
        var identity = [Float](repeating: 0, count: width * width * 9)
        for channel in 0..<width { identity[(channel * width + channel) * 9 + 4] = 1 }
        for convolution in phi {
            convolution.weight.value = Tensor(identity, shape: convolution.weight.shape)
            convolution.bias?.value = .zeros([width])
        }
    }

    /// Brings a full-size map down to the grid of a scale: R^area.
    package func down(_ map: Tensor, scale: Int) -> Tensor {
        let side = configuration.patchNums[scale]
        return map.shape[2] == side ? map : resized(map, to: (side, side), method: .area)
    }

    /// A map [B, Z, h, w] as rows [B, h·w, Z].
    package static func rows(_ map: Tensor) -> Tensor {
        map.reshaped([map.shape[0], map.shape[1], map.shape[2] * map.shape[3]]).transposed(1, 2)
    }

    /// What the tokens of one scale add to f̂: phi_k(R^bic(E[tokens])).
    ///
    /// - Parameter tokens: int32 [B, p_k²].
    /// - Returns: [B, Z, P, P].
    public func contribution(_ tokens: Tensor, scale: Int) -> Tensor {
        contribution(embedded: embedding(codebook.tensor, indices: tokens), scale: scale)
    }

    /// The same from embedded rows [B, p_k², Z].
    func contribution(embedded: Tensor, scale: Int) -> Tensor {
        let (side, full) = (configuration.patchNums[scale], configuration.latentSide)
        let map = embedded.transposed(1, 2)
            .reshaped([embedded.shape[0], configuration.latentChannels, side, side])
        return phi(
            side == full ? map : resized(map, to: (full, full), method: .bicubic), scale: scale)
    }

    /// The same in few kernels where a device has them; records nothing.
    ///
    /// - Parameter map: [B, Z, P, P], to which it is added; what is returned, if nil, is new.
    @discardableResult
    func resident(_ tokens: Tensor, scale: Int, addedTo map: Tensor? = nil) -> Tensor {
        let phi = phi[phiIndex[scale]]
        let device = tokens.device
        let side = configuration.latentSide
        if let bias = phi.bias {
            let result =
                map
                ?? Tensor.empty(
                    [tokens.shape[0], configuration.latentChannels, side, side], device: device)
            let codes = CodeMap(
                codebook: codebook.value, weight: phi.weight.value, bias: bias.value,
                method: .bicubic)
            if device.convolvedCodes(tokens, codes, into: result, adds: map != nil) {
                return result
            }
        }
        let result = contribution(tokens, scale: scale)
        guard let map else { return result }
        device.add(result, into: map)
        return map
    }

    /// The nearest codes of a residual at one scale.
    ///
    /// - Parameter residual: [B, Z, P, P].
    /// - Returns: int32 [B, p_k²]; the first code on ties.
    func nearest(_ residual: Tensor, scale: Int) -> Tensor {
        let rows = Self.rows(down(residual, scale: scale))
        let flat = rows.reshaped([rows.shape[0] * rows.shape[1], rows.shape[2]])
        return nearestCodes(flat.contiguous(), codebook: codebook.value)
            .reshaped([rows.shape[0], rows.shape[1]])
    }

    // MARK: All scales

    /// What encoding produces.
    public struct Encoding: Sendable {
        /// Per scale, int32 [B, p_k²].
        public var tokens: [Tensor]
        /// Per scale, the accumulated reconstruction after it, [B, Z, P, P].
        public var accumulated: [Tensor]
    }

    /// Quantizes a feature scale by scale, each from what the coarser ones left over.
    ///
    /// - Parameter f: [B, Z, P, P].
    public func encode(_ f: Tensor) -> Encoding {
        withoutGradients {
            var residual = f.detached()
            var fhat: Tensor?
            var encoding = Encoding(tokens: [], accumulated: [])
            for scale in 0..<configuration.scaleCount {
                let tokens = nearest(residual, scale: scale)
                let h = contribution(tokens, scale: scale)
                let sum = fhat.map { $0 + h } ?? h
                residual = residual - h
                fhat = sum
                encoding.tokens.append(tokens)
                encoding.accumulated.append(sum)
            }
            return encoding
        }
    }

    /// f̂ = Σ_k phi_k(R^bic(E[r_k])) (`embed_to_fhat`).
    ///
    /// - Parameters:
    ///   - tokens: per scale, int32 [B, p_k²].
    ///   - throughScale: the last scale used; all given when nil.
    /// - Returns: [B, Z, P, P].
    public func accumulated(_ tokens: [Tensor], throughScale: Int? = nil) -> Tensor {
        let last = min(throughScale ?? tokens.count - 1, tokens.count - 1)
        var fhat = contribution(tokens[0], scale: 0)
        for scale in 1..<max(last + 1, 1) {
            fhat = fhat + contribution(tokens[scale], scale: scale)
        }
        return fhat
    }

    /// Splits concatenated tokens [B, L] into one tensor per scale.
    public func split(_ tokens: Tensor) -> [Tensor] {
        tokens.split(axis: 1, sizes: configuration.patchNums.map { $0 * $0 })
            .map { $0.contiguous() }
    }
}
