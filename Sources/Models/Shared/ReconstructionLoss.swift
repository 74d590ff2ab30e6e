// What a tokenizer's reconstructions are measured by in training.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Pixel and perceptual error of reconstructions, and the judgement of a critic, as one gradient.
///
/// The gradient is taken at the reconstruction x̂ and then sent down the network once:
///
///     g = ∂L_rec/∂x̂ + w·λ·∂L_adv/∂x̂,   λ = ‖∂L_rec/∂x̂‖ / ‖∂L_adv/∂x̂‖, at most 10⁴
///
/// λ is VQGAN's adaptive weight, measured at x̂ instead of at the last layer's weights (Esser et al.,
/// arXiv 2012.09841, section 3.1). Nothing is read back from the device.
struct ReconstructionLoss {
    var absoluteWeight: Float
    var squaredWeight: Float
    var perceptualWeight: Float
    var perceptual: PerceptualFeatures?
    /// Processes that have the other parts of the batch; λ is that of all of it.
    var parallel = DataParallel.single

    /// The parts of a batch's loss; scalars without history.
    struct Output {
        /// x̂ without history.
        var decoded: Tensor
        var absolute: Tensor
        var squared: Tensor
        var perceptual: Tensor?
        /// −mean of the critic's answers.
        var adversarial: Tensor?
        /// Weighted sum of the reconstruction's parts.
        var total: Tensor
        /// Σ x̂·g: its gradient with respect to the network is the loss's.
        var surrogate: Tensor
    }

    /// - Parameters:
    ///   - decoded: x̂ with history, [B, 3, S, S].
    ///   - targets: of the same shape.
    ///   - critic: judges x̂ with a weight; nil before it takes part.
    func callAsFunction(
        _ decoded: Tensor, targets: Tensor,
        critic: (network: PatchDiscriminator, weight: Float)? = nil
    ) -> Output {
        let leaf = decoded.detached().leaf()
        let difference = leaf - targets
        let absolute = difference.abs().mean()
        let squared = difference.square().mean()
        var total = absolute * absoluteWeight + squared * squaredWeight
        let seen =
            perceptualWeight > 0 ? perceptual.map { $0.distance(leaf, to: targets) } : nil
        if let seen { total = total + seen * perceptualWeight }
        var gradient = total.backward()[leaf] ?? Tensor.zeros(decoded.shape, device: decoded.device)
        var judgement: Tensor?
        if let critic {
            let again = decoded.detached().leaf()
            let judged = critic.network.judgement(of: again)
            judgement = judged.detached()
            if let direction = judged.backward()[again] {
                gradient = withoutGradients {
                    let squares = [gradient, direction].map { $0.square().sum() }
                    parallel.group.average(squares)
                    let ratio = (squares[0].sqrt() / (squares[1].sqrt() + 1e-12)).clamped(0, 1e4)
                    return gradient + direction * (ratio * critic.weight)
                }
            }
        }
        return Output(
            decoded: decoded.detached(), absolute: absolute.detached(), squared: squared.detached(),
            perceptual: seen?.detached(), adversarial: judgement, total: total.detached(),
            surrogate: (decoded * gradient).sum())
    }
}
