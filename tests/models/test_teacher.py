import copy
import pickle

import pytest
import torch
from tiny_fgsn import MAP, build_model, pair_batch, teach

from fgsn_mmseg.clustering import Codebook


def test_teacher_follows_the_student():
    """Weights by a fifth of the way; running statistics at once."""
    model = teach(build_model(teacher_momentum=0.2, norm_eval=False))
    before = copy.deepcopy(model.teacher.state_dict())
    student = {k: v.clone() for k, v in model.state_dict().items()}
    weights = dict(model.named_parameters())
    codebook = copy.deepcopy(model.codebook.state_dict())
    model.loss(*pair_batch())
    moved = 0
    for name, value in model.teacher.state_dict().items():
        if name in weights:
            expected = 0.8 * before[name] + 0.2 * student[name]
            torch.testing.assert_close(value, expected)
            moved += not torch.equal(value, before[name])
        else:
            assert torch.equal(value, student[name])
    assert moved > 20
    for name, value in model.codebook.state_dict().items():
        assert torch.equal(value, codebook[name])


def test_teacher_rests_when_nothing_is_trained():
    model = teach(build_model(teacher_momentum=0.2)).eval()
    before = copy.deepcopy(model.teacher.state_dict())
    model.loss(*pair_batch())
    model.label_maps(pair_batch()[0]['img'])
    for name, value in model.teacher.state_dict().items():
        assert torch.equal(value, before[name])


@pytest.mark.parametrize('momentum', [-0.1, 1.1])
def test_momentum_that_cannot_be(momentum):
    with pytest.raises(ValueError, match='`teacher_momentum` should be'):
        build_model(teacher_momentum=momentum)


class TestLabels:
    def test_no_labels_yet(self):
        model = build_model()
        assert not model.has_labels
        with pytest.raises(RuntimeError, match='ClusteringHook'):
            model.loss(*pair_batch())

    def test_teacher_is_a_copy_of_the_student(self):
        model = teach(build_model(dropout=0.1))
        model.set_codebook(model.codebook)
        images = pair_batch()[0]['img']
        model.eval()
        taught = model.teacher(images)
        assert taught.shape == (2, 12, *MAP)
        assert torch.equal(taught, model.student_maps(images).features)
        own = {p.data_ptr() for p in model.backbone.parameters()}
        copied = {p.data_ptr() for p in model.teacher.buffers()}
        assert copied and not own & copied

    def test_label_maps(self):
        model = teach(build_model())
        images = pair_batch()[0]['img']
        labels = model.label_maps(images)
        assert labels.shape == (2, *MAP) and labels.dtype == torch.int64
        assert not labels.is_inference()
        expected = model.codebook.assign_map(model.teacher(images))
        assert torch.equal(labels, expected)
        assert len(labels.unique()) > 1

    def test_features_after_and_before_relu(self):
        images = pair_batch()[0]['img']
        signed = build_model(feature_layer='bottleneck.bn').eval()
        after = build_model().eval()
        after.load_state_dict(signed.state_dict())
        before = signed.student_maps(images).features
        assert (before < 0).any() and (before > 0).any()
        assert torch.equal(before.relu(), after.student_maps(images).features)
        # The logits are the same: the classifier applies ReLU.
        for model in (signed, after):
            model.redraw_classifiers(torch.Generator().manual_seed(0))
        assert torch.equal(signed(images), after(images))

    def test_teacher_gives_signed_features_too(self):
        model = teach(build_model(feature_layer='bottleneck.bn'))
        images = pair_batch()[0]['img']
        assert (model.teacher(images) < 0).any()

    def test_redrawn_classifiers(self):
        model = build_model(num_clusters=300)
        drawn = model.redraw_classifiers(torch.Generator().manual_seed(1))
        heads = model.decode_head, model.auxiliary_head
        expected = [p for head in heads for p in head.conv_seg.parameters()]
        assert {id(p) for p in drawn} == {id(p) for p in expected}
        for head in heads:
            weight, bias = head.conv_seg.weight, head.conv_seg.bias
            assert not bias.any() and bias.requires_grad
            assert weight.requires_grad
            assert float(weight.std()) == pytest.approx(0.01, rel=0.1)
            assert abs(float(weight.mean())) < 1e-3
        torch.rand(5)
        other = build_model(seed=5, num_clusters=300)
        other.redraw_classifiers(torch.Generator().manual_seed(1))
        assert torch.equal(
            other.decode_head.conv_seg.weight, heads[0].conv_seg.weight
        )


def model_of_other_features():
    model = build_model()
    channels = model.codebook.in_channels + 1
    model.codebook = Codebook(model.num_clusters, channels, 5)
    return model


class TestState:
    def test_round_trip_into_a_fresh_model(self):
        model = teach(build_model(feature_layer='bottleneck.bn'))
        state = copy.deepcopy(model.state_dict())
        fresh = build_model(seed=9, feature_layer='bottleneck.bn')
        fresh.load_state_dict(state)
        assert list(fresh.state_dict()) == list(state)
        for name, value in fresh.state_dict().items():
            assert torch.equal(value, state[name])
        images = pair_batch()[0]['img']
        assert torch.equal(fresh.label_maps(images), model.label_maps(images))
        assert not any(p.requires_grad for p in fresh.teacher.parameters())
        assert not fresh.teacher.training

    def test_only_one_copy_of_the_classifier(self):
        model = teach(build_model())
        names = [n for n in model.state_dict() if n.startswith('teacher.')]
        assert names and not any('conv_seg' in name for name in names)

    def test_another_number_of_clusters(self):
        state = teach(build_model(num_clusters=8)).state_dict()
        with pytest.raises(ValueError, match='`num_clusters` should be 8'):
            build_model(num_clusters=6).load_state_dict(state)

    def test_nothing_appears_in_mid_run(self):
        model = build_model()
        parameters = [id(p) for p in model.parameters()]
        keys = list(model.state_dict())
        teach(model)
        assert [id(p) for p in model.parameters()] == parameters
        assert list(model.state_dict()) == keys
        assert all(p.requires_grad for p in model.parameters())
        assert not list(model.teacher.parameters())

    def test_a_network_that_only_predicts_has_no_teacher(self):
        trained = teach(build_model())
        model = build_model(seed=3, train_cfg=None)
        model.load_state_dict(trained.state_dict())  # strict
        assert list(model.state_dict()) == [
            name
            for name in trained.state_dict()
            if not name.startswith(('teacher.', 'codebook.'))
        ]
        assert not model.has_labels
        with pytest.raises(RuntimeError, match='train_cfg'):
            model.label_maps(pair_batch()[0]['img'])

    def test_saved_before_there_were_labels(self):
        fresh = build_model(seed=9)
        fresh.load_state_dict(build_model().state_dict())
        assert not fresh.has_labels

    def test_copies_have_labels_of_their_own(self):
        model = teach(build_model(feature_layer='bottleneck.bn'))
        images = pair_batch()[0]['img']
        labels = model.label_maps(images)
        for other in (
            copy.deepcopy(model),
            pickle.loads(pickle.dumps(model)),
        ):
            assert type(other.decode_head) is type(model.decode_head)
            assert torch.equal(other.label_maps(images), labels)
            with torch.no_grad():
                other.codebook.centroids.zero_()
            assert torch.equal(model.label_maps(images), labels)

    def test_labels_of_other_features(self):
        state = teach(build_model()).state_dict()
        with pytest.raises(ValueError, match='`feature_layer` should give'):
            model_of_other_features().load_state_dict(state)
