// Pictures as inputs of the symmetry engine, and the sets they come from.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Grey pictures of 28×28 pixels in 0…1, embedded by an ``InvariantEquivariantAutoencoder``.
struct PictureBackend: SymmetryBackend {
    let network: InvariantEquivariantAutoencoder
    /// Θ of ssl-sym, or of RECON when it is `amortisedCentre`'s companion.
    let level: SymmetryLevelNetwork?
    let centre: SymmetryLevelNetwork?
    let takesPictures = true
    let looksTwice = true

    static let side = 28

    func classPoses(
        of inputs: [[Float]], cancellation: Cancellation
    ) throws -> ClassPoses<Rotation2> {
        try network.classPoses(of: inputs, cancellation: cancellation)
    }

    func secondLook(
        at bank: [[Float]], _ found: ClassPoses<Rotation2>, configuration: RECONConfiguration,
        cancellation: Cancellation
    ) throws -> (any SecondLook<[Float], Rotation2>)? {
        var pixels: [Float] = []
        pixels.reserveCapacity(bank.count * Self.side * Self.side)
        for picture in bank { pixels += picture }
        return PictureSecondLook(
            engine: try RefinedRECON(
                training: found,
                images: GreyImages(
                    side: Self.side, pixels: pixels,
                    labels: [Int](repeating: -1, count: bank.count)),
                configuration: configuration,
                settings: .forBank(of: bank.count, neighbours: configuration.neighbours),
                cancellation: cancellation))
    }

    func rotated(_ input: [Float], by pose: Rotation2) -> [Float] {
        let image = Tensor(
            input, shape: [1, 1, Self.side, Self.side], device: CPUDevice.shared)
        return withoutGradients { Core.rotated(image, degrees: [Float(pose.degrees)]) }.floats()
    }

    func canonical(of input: [Float]) -> [Float]? {
        withoutGradients {
            let image = Tensor(input, shape: [1, 1, Self.side, Self.side])
            return network.decoder(network.encoder(image).embedding).floats()
        }
    }

    func shape(of input: [Float], label: Int?) -> SymmetryShape {
        let bytes = input.map { UInt8(max(0, min(255, ($0 * 255).rounded()))) }
        return .picture(
            RGBImage(
                width: Self.side, height: Self.side, pixels: bytes.flatMap { [$0, $0, $0] }))
    }

    func input(of picture: RGBImage) -> [Float]? { Self.grey(picture) }

    /// A picture fitted to 28×28 and made grey by BT.601's weights.
    static func grey(_ picture: RGBImage) -> [Float] {
        let fit = PictureFit(width: picture.width, height: picture.height, side: side)
        let image =
            picture.width == side && picture.height == side ? picture : fit.apply(to: picture)
        return (0..<(side * side)).map { i in
            let (r, g, b) = (
                Float(image.pixels[3 * i]), Float(image.pixels[3 * i + 1]),
                Float(image.pixels[3 * i + 2])
            )
            return (0.299 * r + 0.587 * g + 0.114 * b) / 255
        }
    }

    func amortised(_ input: [Float]) -> (level: Double?, centre: Rotation2?)? {
        guard level != nil || centre != nil else { return nil }
        return withoutGradients {
            let image = Tensor(input, shape: [1, 1, Self.side, Self.side])
            let level = level.map { network -> Double in
                let values = network(image).floats()
                if network.output == .level { return Double(values[0]) }
                let order = values.indices.max { values[$0] < values[$1] } ?? 0
                return order == 0 ? 0 : 360 / Double(order + 1)
            }
            let centre = centre.map { network -> Rotation2 in
                let v = network(image).floats().map(Double.init)
                return Rotation2(degrees: atan2(v[1], v[0]) * 180 / .pi)
            }
            return (level, centre)
        }
    }
}

extension RotatedImages {
    /// The pictures as inputs, with labels and angles for the report.
    func inputs(title: String, classes: [String]) -> SymmetryInputs<[Float], Rotation2> {
        let plane = images.side * images.side
        return SymmetryInputs(
            title: title,
            inputs: (0..<count).map {
                Array(images.pixels[($0 * plane)..<(($0 + 1) * plane)])
            },
            names: (0..<count).map { i in
                let label = images.labels[i]
                return (classes.indices.contains(label) ? classes[label] : "picture") + " #\(i)"
            },
            labels: images.labels, labelNames: classes,
            truth: centredAngles.map { Rotation2(degrees: $0) }, laws: law.classes,
            offsets: law.offsets.map { Rotation2(degrees: $0) })
    }
}
